import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Control } from '../../../../src/emulators/stripe/control/control.ts'
import type { Event } from '../../../../src/emulators/stripe/objects/billing-objects.ts'
import type { SeededRandom } from './seeded-random.ts'

interface Letter {
  id: string
  /** Signed anew whenever it is sent. */
  write(): ReturnType<Control['signed']>
  /** What it must be answered. */
  due: 200 | 400
}

/** How many letters are under way at once. */
const carriers = 50

/** Brings events as Stripe does: in any order, more than once, and again for as long as they are not taken; and forgeries. */
export class EventSender {
  accepted = 0
  refused = 0
  resends = 0
  /** Letters that were answered what they must not be. */
  readonly wrong: string[] = []
  /** The ids of what was not Stripe's. */
  readonly forged: string[] = []
  private readonly letters: Letter[] = []
  private under = 0
  private closing = false
  private readonly agent = new Agent({ keepAlive: true, maxSockets: carriers })

  constructor(
    private readonly stripe: Pick<Control, 'signed'>,
    private readonly chance: SeededRandom,
    private readonly port: () => number,
  ) {}

  /** How many are still to be answered. */
  get left(): number {
    return this.letters.length + this.under
  }

  /** Has an event brought so many times. */
  post(event: Event, times: number): void {
    for (let copy = 0; copy < times; copy++)
      this.letters.push({ id: event.id, write: () => this.stripe.signed(event), due: 200 })
  }

  /** Has what looks like an event brought once, with something about it that is not right. */
  forge(event: Event): void {
    const forged = { ...event, id: `evt_forged${this.forged.length}` }
    const now = () => Math.floor(Date.now() / 1000)
    const age = 310 + this.chance.below(100_000)
    const { signed } = this.stripe
    const ways: Letter['write'][] = [
      () => signed(forged, { secret: 'whsec_of_somebody_else' }),
      () => signed(forged, { timestamp: now() - age }),
      () => signed(forged, { timestamp: now() + age }),
      () => ({ headers: signed(event).headers, body: JSON.stringify(forged, null, 2) }),
      () => {
        const { body, headers } = signed(forged)
        return { body: body.replace('"livemode": false', '"livemode":  false'), headers }
      },
      () => ({ body: signed(forged).body, headers: { 'content-type': 'application/json' } }),
    ]
    this.letters.push({ id: forged.id, write: ways[this.forged.length % ways.length], due: 400 })
    this.forged.push(forged.id)
  }

  /** Carries letters until it is told to stop. */
  async carry(): Promise<void> {
    await Promise.all(Array.from({ length: carriers }, () => this.walk()))
    this.agent.destroy()
  }

  stop(): void {
    this.closing = true
  }

  private async walk(): Promise<void> {
    while (!this.closing) {
      const letter = this.chance.take(this.letters)
      if (!letter) {
        await sleep(10)
        continue
      }
      this.under += 1
      const answer = await this.bring(letter)
      if (answer === 200) this.accepted += 1
      else if (answer === 400) this.refused += 1
      else {
        this.resends += 1
        await sleep(100 + this.chance.below(200))
        this.letters.push(letter)
      }
      if ((answer === 200 || answer === 400) && answer !== letter.due) this.wrong.push(`${letter.id}: ${answer}`)
      if (answer > 0 && answer < 500 && ![200, 400].includes(answer)) this.wrong.push(`${letter.id}: ${answer}`)
      this.under -= 1
    }
  }

  /** The status of the answer; 0 when there is none. */
  private bring({ write }: Letter): Promise<number> {
    const { body, headers } = write()
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
