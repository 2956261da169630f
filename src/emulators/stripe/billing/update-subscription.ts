import { refuseScheduled } from '../endpoints/schedules.ts'
import { refusal } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { hash, number, text } from '../http/parameter-values.ts'
import type { Account } from '../objects/account.ts'
import type { Item, Line, Subscription } from '../objects/billing-objects.ts'
import { hour } from '../objects/clock.ts'
import { collect, finalize } from './collect-invoice.ts'
import { draft, postpone } from './draft-invoice.ts'
import { lineOf, prorationOf } from './invoice-lines.ts'
import { type Change, changed, period, samePeriod } from './item-changes.ts'
import { endTrial } from './renewals.ts'
import { onTrial, trialEnd, write } from './subscription-terms.ts'
import { declined } from './test-cards.ts'

/** Changes a subscription; what items now cost more or less is charged as `proration_behavior` says. */
export function update(account: Account, subscription: Subscription, params: Params): Subscription {
  admit(subscription, params)
  refuseScheduled(subscription, params)
  const change = params.items ? changed(account, subscription, params) : null
  const lines = change ? prorations(account, subscription, change, params) : []
  const now = text(params, 'proration_behavior') === 'always_invoice' || Boolean(change && restarts(change))
  const waits = text(params, 'payment_behavior') === 'pending_if_incomplete' && now && lines.length > 0
  account.update(subscription, () => {
    if (change && !waits) subscription.items.data = change.items
    trial(account, subscription, params)
    pause(subscription, params)
    write(account, subscription, params)
  })
  if (!now) for (const line of lines) postpone(account, subscription, line)
  else if (lines.length) bill(account, subscription, lines, params, waits ? change?.items : undefined)
  if (subscription.status === 'trialing' && text(params, 'trial_end') === 'now') endTrial(account, subscription)
  return subscription
}

function admit({ id, status, pending_update }: Subscription, params: Params): void {
  const names = Object.keys(params).filter((name) => !['expand', 'metadata', 'cancellation_details'].includes(name))
  if (status === 'canceled' || status === 'incomplete_expired') {
    if (names.length) throw refusal('A canceled subscription can only update its cancellation_details and metadata.')
  }
  if (status === 'incomplete' && names.some((name) => name !== 'default_payment_method')) {
    throw refusal(
      `Subscription ${id} is incomplete: until its first invoice is paid, only its metadata and default payment method can be updated.`,
    )
  }
  if (pending_update && params.items)
    throw refusal('This subscription has a pending update, which must be paid or expire first.')
}

function restarts({ pairs }: Change): boolean {
  return pairs.some(({ was, is }) => was && is && !samePeriod(was.price, is.price))
}

/** What has been paid and will not be used, and what will be used and has not been paid. */
function prorations(account: Account, { status }: Subscription, { pairs }: Change, params: Params): Line[] {
  if (status === 'trialing' || status === 'paused') return []
  const prorates = text(params, 'proration_behavior') !== 'none'
  return pairs.flatMap(({ was, is }) => {
    const restarted = is && was && !samePeriod(was.price, is.price)
    const begun = is && (restarted || is.current_period_start === account.now())
    if (was && is && was.price.id === is.price.id && was.quantity === is.quantity) return []
    const credit = was && prorates ? [prorationOf(account, was, -1)] : []
    if (restarted || (begun && !was)) return [...credit, lineOf(account, is)]
    return is && prorates ? [...credit, prorationOf(account, is, 1)] : credit
  })
}

function bill(account: Account, subscription: Subscription, lines: Line[], params: Params, later?: Item[]): void {
  const behavior = text(params, 'payment_behavior') || 'allow_incomplete'
  if (later) {
    account.update(subscription, () => {
      const expires_at = account.now() + 23 * hour
      subscription.pending_update = {
        expires_at,
        subscription_items: later,
        billing_cycle_anchor: null,
        trial_end: null,
      }
    })
  }
  const invoice = draft(account, subscription, 'subscription_update', lines)
  finalize(account, invoice)
  const collects = invoice.status === 'open' && subscription.collection_method === 'charge_automatically'
  if (!collects || behavior === 'default_incomplete') return
  const outcome = collect(account, invoice)
  if (!outcome.paid && behavior === 'error_if_incomplete') throw declined(outcome.reason ?? 'generic_decline')
}

function trial(account: Account, subscription: Subscription, params: Params): void {
  const end = trialEnd(account, params)
  if (end === null) return
  if (subscription.status !== 'trialing' && end <= account.now()) return
  subscription.trial_start ??= account.now()
  subscription.trial_end = end
  subscription.status = 'trialing'
  subscription.billing_cycle_anchor = end
  onTrial(subscription.items.data, subscription.trial_start, end)
}

function pause(subscription: Subscription, params: Params): void {
  if (params.pause_collection === '') subscription.pause_collection = null
  const wanted = hash(params, 'pause_collection')
  if (!wanted) return
  const behavior = text(wanted, 'behavior') ?? 'keep_as_draft'
  subscription.pause_collection = { behavior, resumes_at: number(wanted, 'resumes_at') ?? null }
}

/** A paused subscription begins a new period, and is active again when that is paid. */
export function resume(account: Account, subscription: Subscription): Subscription {
  if (subscription.status !== 'paused') {
    throw refusal(`Only paused subscriptions can be resumed: this one is ${subscription.status}.`)
  }
  account.update(subscription, () => {
    subscription.billing_cycle_anchor = account.now()
    for (const item of subscription.items.data) Object.assign(item, period(account.now(), item.price))
  })
  const lines = subscription.items.data.map((item) => lineOf(account, item))
  const invoice = draft(account, subscription, 'subscription_update', lines)
  finalize(account, invoice)
  if (invoice.status === 'open' && subscription.collection_method === 'charge_automatically') collect(account, invoice)
  return subscription
}
