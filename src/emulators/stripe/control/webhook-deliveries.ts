import { createHmac } from 'node:crypto'
import type { Event } from '../objects/billing-objects.ts'

interface SignedEvent {
  body: string
  headers: Record<string, string>
}

interface Delivery {
  event: Event
  attempts: number
}

const maxConcurrent = 8
const maxAttempts = 10
const backoffMs = (tries: number) => Math.min(50 * 2 ** tries, 30_000)

/** Signs an event as Stripe does. */
export function signEvent(event: Event, secret: string, timestamp = Math.floor(Date.now() / 1000)): SignedEvent {
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
export class WebhookDeliveries {
  /** Whether what waits is taken in any order. */
  shuffle = false
  /** How many times more than once each event is sent. */
  duplicates = 0
  /** Milliseconds before an event is sent. */
  delay = 0
  private held = false
  private queue: Delivery[] = []
  private inFlight = 0
  private readonly timers = new Set<NodeJS.Timeout>()
  private readonly aborting = new AbortController()
  private idleListeners: (() => void)[] = []

  constructor(
    /** The URL of the webhook endpoint; without one, no event is delivered. */
    public url: string | undefined,
    private readonly secret: string,
    private readonly delivered: (event: Event) => void,
  ) {}

  get holding(): boolean {
    return this.held
  }

  hold(): void {
    this.held = true
    this.notifyIfIdle()
  }

  release(): void {
    this.held = false
    this.deliverQueued()
  }

  deliverAll(events: Event[]): void {
    if (!this.url) return
    for (const event of events) {
      for (let copy = 0; copy <= this.duplicates; copy++) this.enqueue({ event, attempts: 0 }, this.delay)
    }
    this.deliverQueued()
  }

  /** Only held events are left to deliver. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.idleListeners.push(resolve)
      this.notifyIfIdle()
    })
  }

  stop(): void {
    this.queue = []
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
    this.aborting.abort()
    this.notifyIfIdle()
  }

  private enqueue(delivery: Delivery, ms: number): void {
    if (!ms) {
      this.queue.push(delivery)
      return
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      this.queue.push(delivery)
      this.deliverQueued()
    }, ms)
    this.timers.add(timer)
  }

  private deliverQueued(): void {
    while (!this.held && this.queue.length && this.inFlight < maxConcurrent) {
      const place = this.shuffle ? Math.floor(Math.random() * this.queue.length) : 0
      const [delivery] = this.queue.splice(place, 1)
      this.inFlight++
      this.deliver(delivery).finally(() => {
        this.inFlight--
        this.deliverQueued()
      })
    }
    this.notifyIfIdle()
  }

  private async deliver(delivery: Delivery): Promise<void> {
    const { event } = delivery
    if (await this.post(event)) return this.delivered(event)
    if (this.aborting.signal.aborted) return
    if (++delivery.attempts < maxAttempts) this.enqueue(delivery, backoffMs(delivery.attempts))
  }

  private async post(event: Event): Promise<boolean> {
    const { body, headers } = signEvent(event, this.secret)
    const signal = AbortSignal.any([this.aborting.signal, AbortSignal.timeout(20_000)])
    try {
      const answer = await fetch(this.url ?? '', { method: 'POST', body, headers, redirect: 'manual', signal })
      await answer.arrayBuffer()
      return answer.ok
    } catch {
      return false
    }
  }

  private notifyIfIdle(): void {
    const left = this.inFlight + this.timers.size + (this.held ? 0 : this.queue.length)
    if (left) return
    for (const resolve of this.idleListeners.splice(0)) resolve()
  }
}
