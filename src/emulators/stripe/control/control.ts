import { runDueWork } from '../billing/due-work.ts'
import type { ApiKeys } from '../http/api-keys.ts'
import type { Params } from '../http/form.ts'
import type { Account } from '../objects/account.ts'
import type { Event } from '../objects/billing-objects.ts'
import { day, hour } from '../objects/clock.ts'
import type { Fault, OrderedFaults } from './ordered-faults.ts'
import { signEvent, type WebhookDeliveries } from './webhook-deliveries.ts'

/** One request as it came in, and its response. */
export interface LoggedRequest {
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

const maxRequests = 10_000
const statusesAfterRetries: Account['afterRetries'][] = ['unpaid', 'canceled', 'past_due']

/** Controls that the real Stripe lacks: they advance the clock, order faults and show the requests received. */
export class Control {
  /** All requests to the API, the oldest first. */
  readonly requests: LoggedRequest[] = []

  constructor(
    readonly account: Account,
    readonly deliveries: WebhookDeliveries,
    private readonly faults: OrderedFaults,
    private readonly webhookSecret: string,
    private readonly keys: ApiKeys,
  ) {}

  /** In seconds, as Stripe counts them. */
  now = (): number => this.account.now()

  /** All events, the oldest first. */
  get events(): Event[] {
    return [...this.account.store.all('event')]
  }

  /** Advances the clock: work that falls due meanwhile happens in its turn. */
  advance = ({ days = 0, hours = 0, seconds = 0 }: Advance): number => {
    const by = Math.round(days * day + hours * hour + seconds)
    if (!(by >= 0)) throw new Error('Time goes forward only: give a number of days, hours or seconds.')
    const { account } = this
    runDueWork(account, account.now() + by)
    const ahead = account.clock.aheadSeconds + by
    account.transaction(() => account.store.add({ id: 'clock', object: 'local.clock', ahead }))
    account.clock.aheadSeconds = ahead
    return account.now()
  }

  /** Orders what is to happen to the requests to come. */
  fault = (order: Fault): void => this.faults.order(order)

  clearFaults = (): void => this.faults.clear()

  /** Has a method of payment decline from now on, for a reason such as `insufficient_funds`, or no longer. */
  decline = (method: string, reason: string | null): void => {
    const card = this.account.store.find('local.card', method)
    if (!card) throw new Error(`There is no method of payment ${method}.`)
    this.account.transaction(() => {
      this.account.store.change(card, () => {
        card.decline = reason
      })
    })
  }

  /** Sets the status that a subscription gets after its last failed payment attempt. */
  setStatusAfterRetries = (status: Account['afterRetries']): void => {
    if (!statusesAfterRetries.includes(status))
      throw new Error(`The status after retries is one of ${statusesAfterRetries.join(', ')}.`)
    this.account.afterRetries = status
  }

  /** Has the secret key expire, or hold again. */
  expireSecretKey = (expired = true): void => {
    this.keys.expired = expired
  }

  /** Takes permissions such as `rak_customer_write` from the secret key; without any it may do everything again. */
  restrictSecretKey = (...permissions: string[]): void => {
    this.keys.missingPermissions = permissions
  }

  /** Signs an event as for a delivery, so that a test can deliver it itself. */
  sign = (event: Event, { secret = this.webhookSecret, timestamp }: { secret?: string; timestamp?: number } = {}) =>
    signEvent(event, secret, timestamp)

  /** Resolves once every event has been delivered or given up; held events do not count. */
  settled = (): Promise<void> => this.deliveries.settled()

  logRequest(received: LoggedRequest): void {
    this.requests.push(received)
    if (this.requests.length > maxRequests) this.requests.shift()
  }
}
