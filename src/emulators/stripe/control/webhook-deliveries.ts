import { createHmac } from 'node:crypto'
import type { Event } from '../objects/billing-objects.ts'

interface Signed {
  body: string
  headers: Record<string, string>
}

interface Delivery {
  event: Event
  tries: number
}

const mostAtOnce = 8
const mostTries = 10
const backOff = (tries: number) => Math.min(50 * 2 ** tries, 30_000)

/** Signs an event as Stripe does. */
export function sign(event: Event, secret: string, timestamp = Math.floor(Date.now() / 1000)): Signed {
  const body = JSON.stringify(event, null, 2)
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return {
    body,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': `t=${timestamp},v1=${signature}`,
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    },
  }
}

/** Brings events to their listener in the background, again and again until it says that it has them. */
export class Deliveries {
  /** Whether what waits is taken in any order. */
  shuffle = false
  /** How many times more than once each event is sent. */
  duplicates = 0
  /** Milliseconds before an event is sent. */
  delay = 0
  private held = false
  private queue: Delivery[] = []
  private underway = 0
  private readonly waiting = new Set<NodeJS.Timeout>()
  private readonly aborting = new AbortController()
  private watchers: (() => void)[] = []

  constructor(
    /** Where they are brought; nobody listens when there is none. */
    public url: string | undefined,
    private readonly secret: string,
    private readonly delivered: (event: Event) => void,
  ) {}

  get holding(): boolean {
    return this.held
  }

  hold(): void {
    this.held = true
    this.look()
  }

  release(): void {
    this.held = false
    this.pump()
  }

  send(events: Event[]): void {
    if (!this.url) return
    for (const event of events) {
      for (let copy = 0; copy <= this.duplicates; copy++) this.later({ event, tries: 0 }, this.delay)
    }
    this.pump()
  }

  /** Nothing is left to deliver, but what is held. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.watchers.push(resolve)
      this.look()
    })
  }

  stop(): void {
    this.queue = []
    for (const timer of this.waiting) clearTimeout(timer)
    this.waiting.clear()
    this.aborting.abort()
    this.look()
  }

  private later(delivery: Delivery, ms: number): void {
    if (!ms) {
      this.queue.push(delivery)
      return
    }
    const timer = setTimeout(() => {
      this.waiting.delete(timer)
      this.queue.push(delivery)
      this.pump()
    }, ms)
    this.waiting.add(timer)
  }

  private pump(): void {
    while (!this.held && this.queue.length && this.underway < mostAtOnce) {
      const place = this.shuffle ? Math.floor(Math.random() * this.queue.length) : 0
      const [delivery] = this.queue.splice(place, 1)
      this.underway++
      this.deliver(delivery).finally(() => {
        this.underway--
        this.pump()
      })
    }
    this.look()
  }

  private async deliver(delivery: Delivery): Promise<void> {
    const { event } = delivery
    if (await this.accepted(event)) return this.delivered(event)
    if (this.aborting.signal.aborted) return
    if (++delivery.tries < mostTries) this.later(delivery, backOff(delivery.tries))
  }

  private async accepted(event: Event): Promise<boolean> {
    const { body, headers } = sign(event, this.secret)
    const signal = AbortSignal.any([this.aborting.signal, AbortSignal.timeout(20_000)])
    try {
      const answer = await fetch(this.url ?? '', { method: 'POST', body, headers, redirect: 'manual', signal })
      await answer.arrayBuffer()
      return answer.ok
    } catch {
      return false
    }
  }

  private look(): void {
    const left = this.underway + this.waiting.size + (this.held ? 0 : this.queue.length)
    if (left) return
    for (const resolve of this.watchers.splice(0)) resolve()
  }
}
