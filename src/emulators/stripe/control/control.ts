import { catchUp } from '../billing/due-work.ts'
import type { Keys } from '../http/api-keys.ts'
import type { Params } from '../http/form.ts'
import type { Account } from '../objects/account.ts'
import type { Event } from '../objects/billing-objects.ts'
import { day, hour } from '../objects/clock.ts'
import type { FaultOrder, Faults } from './ordered-faults.ts'
import { type Deliveries, sign } from './webhook-deliveries.ts'

/** One request as it came in, and what it was answered. */
export interface Received {
  method: string
  path: string
  params: Params
  headers: { 'idempotency-key'?: string; 'stripe-version'?: string }
  /** 0 when nothing was answered. */
  status: number
}

export interface Advance {
  days?: number
  hours?: number
  seconds?: number
}

const mostRequests = 10_000

/** What the real Stripe offers nobody: time, misfortune, and a look at what was asked. */
export class Control {
  /** All requests to the API, the oldest first. */
  readonly requests: Received[] = []

  constructor(
    readonly account: Account,
    readonly deliveries: Deliveries,
    private readonly faults: Faults,
    private readonly webhookSecret: string,
    private readonly keys: Keys,
  ) {}

  /** In seconds, as Stripe counts them. */
  now = (): number => this.account.now()

  /** All events, the oldest first. */
  get events(): Event[] {
    return [...this.account.store.all('event')]
  }

  /** Lets time go by: what falls due meanwhile happens in its turn. */
  advance = ({ days = 0, hours = 0, seconds = 0 }: Advance): number => {
    const by = Math.round(days * day + hours * hour + seconds)
    if (!(by >= 0)) throw new Error('Time goes forward only: give a number of days, hours or seconds.')
    const { account } = this
    catchUp(account, account.now() + by)
    const ahead = account.clock.ahead + by
    account.attempt(() => account.store.add({ id: 'clock', object: 'local.clock', ahead }))
    account.clock.ahead = ahead
    return account.now()
  }

  /** Orders what is to happen to the requests to come. */
  fault = (order: FaultOrder): void => this.faults.order(order)

  clearFaults = (): void => this.faults.clear()

  /** Has a method of payment decline from now on, for a reason such as `insufficient_funds`, or no longer. */
  decline = (method: string, reason: string | null): void => {
    const card = this.account.store.find('local.card', method)
    if (!card) throw new Error(`There is no method of payment ${method}.`)
    this.account.attempt(() => {
      this.account.store.change(card, () => {
        card.decline = reason
      })
    })
  }

  /** What becomes of subscriptions after the last attempt to charge. */
  afterRetries = (status: Account['afterRetries']): void => {
    this.account.afterRetries = status
  }

  /** Has the secret key expire, or hold again. */
  expire = (expired = true): void => {
    this.keys.expired = expired
  }

  /** Takes permissions such as `rak_customer_write` from the secret key; without any it may do everything again. */
  restrict = (...permissions: string[]): void => {
    this.keys.lacks = permissions
  }

  /** An event as it would be delivered, for whoever delivers it. */
  signed = (event: Event, { secret = this.webhookSecret, timestamp }: { secret?: string; timestamp?: number } = {}) =>
    sign(event, secret, timestamp)

  /** Resolves once every event has been delivered or given up; what is held does not count. */
  settled = (): Promise<void> => this.deliveries.settled()

  note(received: Received): void {
    this.requests.push(received)
    if (this.requests.length > mostRequests) this.requests.shift()
  }
}
