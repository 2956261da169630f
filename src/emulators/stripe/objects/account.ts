import type { Event, Invoice } from './billing-objects.ts'
import { Clock } from './clock.ts'
import { Ids } from './ids.ts'
import type { StripeObject } from './objects.ts'
import { clone, Store, type StoredChange } from './store.ts'

export const apiVersion = '2026-10-28.endive'

const maxEvents = 10_000

/** The members in which two states of a thing differ, as they were. */
export function previousAttributes(
  before: Record<string, unknown>,
  now: Record<string, unknown>,
): Record<string, unknown> {
  const names = new Set([...Object.keys(before), ...Object.keys(now)])
  const changed = [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]))
  return Object.fromEntries(changed.map((name) => [name, previousValue(before[name], now[name])]))
}

/** Leaves out members that were absent before: the client declares those as optional, and never as null. */
function knownBefore(changed: Record<string, unknown>, before: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(changed).filter(([name]) => name in before))
}

function previousValue(before: unknown, now: unknown): unknown {
  const hashes = isHash(before) && isHash(now)
  // A list is told as a whole, with its address and whether there is more of it.
  return hashes && before.object !== 'list' ? previousAttributes(before, now) : (before ?? null)
}

const isHash = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One account at Stripe: its objects, its clock, and an event for every change. */
export class Account {
  readonly clock = new Clock()
  readonly store = new Store()
  readonly ids: Ids
  /** Where pages of invoices are shown. */
  origin = ''
  /** The status that a subscription gets after its last failed payment attempt. */
  afterRetries: 'unpaid' | 'canceled' | 'past_due' = 'unpaid'
  /** The request that is being answered, which the events name. */
  request: { id: string | null; idempotency_key: string | null } = { id: null, idempotency_key: null }
  /** Orders every charge of the present request to be declined. */
  declineCode: string | null = null
  /** How many seconds the lists of the present request are behind. */
  listLagSeconds = 0
  /** Whether a webhook endpoint receives the events. */
  hasWebhookEndpoint: () => boolean = () => false
  /** Writes changes down before they are answered; an error from it undoes them. */
  persist: (entries: StoredChange[]) => void = () => {}
  onCommit: (events: Event[]) => void = () => {}
  private pendingEvents: Event[] = []

  constructor(seed?: string) {
    this.ids = new Ids(seed)
  }

  now(): number {
    return this.clock.now()
  }

  add<T extends StripeObject>(thing: T, type?: string): T {
    this.store.add(thing)
    if (type) this.emit(type, thing)
    return thing
  }

  /** Changes an object and emits an event, unless nothing has changed. */
  update<T extends StripeObject>(thing: T, edit: (thing: T) => void, type = `${eventPrefix(thing)}.updated`): void {
    const before = this.store.change(thing, edit)
    const changed = previousAttributes(before, thing)
    // Only so it is known whose a detached method of payment was.
    const told = /\.(updated|detached)$/.test(type) ? knownBefore(changed, before) : undefined
    if (Object.keys(changed).length) this.emit(type, thing, told)
  }

  emit(type: string, thing: StripeObject, previous_attributes?: Record<string, unknown>): void {
    const event: Event = {
      id: this.ids.next('evt_'),
      object: 'event',
      api_version: apiVersion,
      created: this.now(),
      data: { object: clone(thing), ...(previous_attributes && { previous_attributes }) },
      livemode: false,
      pending_webhooks: this.hasWebhookEndpoint() ? 1 : 0,
      request: this.request,
      type,
    }
    this.pendingEvents.push(this.store.add(event))
  }

  /** Does something wholly or not at all. */
  transaction<T>(work: () => T, keeps: (error: unknown) => boolean = () => false): T {
    try {
      const result = work()
      this.commit()
      return result
    } catch (error) {
      if (keeps(error)) this.commit()
      else this.rollback()
      throw error
    }
  }

  /** Creates an account's first objects; their events are removed and never delivered. */
  withoutEvents(work: () => void): void {
    work()
    for (const event of this.pendingEvents.splice(0)) this.store.remove(event)
    this.commit()
  }

  /** Goes on where a journal ends. */
  resume(): void {
    this.clock.aheadSeconds = Number(this.store.find('local.clock', 'clock')?.ahead ?? 0)
    for (const invoice of this.store.all('invoice')) this.rebaseUrls(invoice)
    for (const { type, data } of this.store.all('event')) {
      if (type.startsWith('invoice.')) this.rebaseUrls(data.object as unknown as Invoice)
    }
  }

  /** Its pages are shown where the server listens now. */
  private rebaseUrls(invoice: Invoice): void {
    for (const name of ['hosted_invoice_url', 'invoice_pdf'] as const) {
      invoice[name] = invoice[name]?.replace(/^.*(?=\/local\/invoices\/)/, this.origin) ?? null
    }
  }

  /** Its listener has this event. */
  markDelivered(event: Event): void {
    this.transaction(() => {
      const kept = this.store.find('event', event.id)
      if (kept) this.store.change(kept, () => (kept.pending_webhooks = 0))
    })
  }

  /** Returns the result of `work` and rolls back its changes. */
  dryRun<T>(work: () => T): T {
    try {
      return clone(work())
    } finally {
      this.rollback()
    }
  }

  private commit(): void {
    try {
      this.persist(this.store.changes())
    } catch (error) {
      this.rollback()
      throw error
    }
    const told = this.pendingEvents
    this.pendingEvents = []
    this.store.commit()
    // Written down with the next changes; a restart before that only trims again.
    this.store.trim('event', maxEvents)
    this.onCommit(told)
  }

  private rollback(): void {
    this.pendingEvents = []
    this.store.rollback()
  }
}

function eventPrefix({ object }: StripeObject): string {
  return object === 'subscription' || object === 'discount' ? `customer.${object}` : object
}
