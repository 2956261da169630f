import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Control } from '../../../../src/emulators/stripe/control/control.ts'
import type { Event } from '../../../../src/emulators/stripe/objects/billing-objects.ts'
import type { SeededRandom } from './seeded-random.ts'

interface Delivery {
  id: string
  /** Signs the event with the current time. */
  sign(): ReturnType<Control['sign']>
  /** The status that the server must return. */
  expected: 200 | 400
}

/** The number of simultaneous requests. */
const concurrency = 50

/** Delivers events as Stripe does: in any order, several times, and again until they are accepted. It also sends forgeries. */
export class EventSender {
  accepted = 0
  refused = 0
  resends = 0
  /** Deliveries with an unexpected status. */
  readonly wrong: string[] = []
  /** The ids of the forged events. */
  readonly forged: string[] = []
  private readonly deliveries: Delivery[] = []
  private pending = 0
  private stopped = false
  private readonly agent = new Agent({ keepAlive: true, maxSockets: concurrency })

  constructor(
    private readonly stripe: Pick<Control, 'sign'>,
    private readonly random: SeededRandom,
    private readonly port: () => number,
  ) {}

  /** The number of deliveries without a response. */
  get remaining(): number {
    return this.deliveries.length + this.pending
  }

  /** Enqueues an event to be delivered a number of times. */
  enqueue(event: Event, times: number): void {
    for (let copy = 0; copy < times; copy++)
      this.deliveries.push({ id: event.id, sign: () => this.stripe.sign(event), expected: 200 })
  }

  /** Enqueues a forged event: its secret, timestamp, body or signature is wrong. */
  enqueueForgery(event: Event): void {
    const forged = { ...event, id: `evt_forged${this.forged.length}` }
    const now = () => Math.floor(Date.now() / 1000)
    const age = 310 + this.random.below(100_000)
    const { sign } = this.stripe
    const forgeries: Delivery['sign'][] = [
      () => sign(forged, { secret: 'whsec_of_another_server' }),
      () => sign(forged, { timestamp: now() - age }),
      () => sign(forged, { timestamp: now() + age }),
      () => ({ headers: sign(event).headers, body: JSON.stringify(forged, null, 2) }),
      () => {
        const { body, headers } = sign(forged)
        return { body: body.replace('"livemode": false', '"livemode":  false'), headers }
      },
      () => ({ body: sign(forged).body, headers: { 'content-type': 'application/json' } }),
    ]
    this.deliveries.push({ id: forged.id, sign: forgeries[this.forged.length % forgeries.length], expected: 400 })
    this.forged.push(forged.id)
  }

  /** Delivers until it is stopped. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: concurrency }, () => this.deliver()))
    this.agent.destroy()
  }

  stop(): void {
    this.stopped = true
  }

  private async deliver(): Promise<void> {
    while (!this.stopped) {
      const delivery = this.random.take(this.deliveries)
      if (!delivery) {
        await sleep(10)
        continue
      }
      this.pending += 1
      const status = await this.send(delivery)
      if (status === 200) this.accepted += 1
      else if (status === 400) this.refused += 1
      else {
        this.resends += 1
        await sleep(100 + this.random.below(200))
        this.deliveries.push(delivery)
      }
      if ((status === 200 || status === 400) && status !== delivery.expected)
        this.wrong.push(`${delivery.id}: ${status}`)
      if (status > 0 && status < 500 && ![200, 400].includes(status)) this.wrong.push(`${delivery.id}: ${status}`)
      this.pending -= 1
    }
  }

  /** @returns the status of the response; 0 without a response */
  private send({ sign }: Delivery): Promise<number> {
    const { body, headers } = sign()
    return new Promise((resolve) => {
      const post = request(
        { method: 'POST', host: '127.0.0.1', port: this.port(), path: '/webhooks/stripe', headers, agent: this.agent },
        (response) => {
          response.resume()
          response.once('end', () => resolve(response.statusCode ?? 0))
          response.once('close', () => resolve(0))
        },
      )
      post.once('error', () => resolve(0))
      post.setTimeout(15_000, () => post.destroy())
      post.end(body)
    })
  }
}
