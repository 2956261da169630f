import { checkNotScheduled } from '../endpoints/schedules.ts'
import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { hash, number, text } from '../http/parameter-values.ts'
import type { Account } from '../objects/account.ts'
import type { InvoiceLine, Subscription, SubscriptionItem } from '../objects/billing-objects.ts'
import { hour } from '../objects/clock.ts'
import { collectPayment, finalizeInvoice } from './collect-invoice.ts'
import { addInvoiceItem, draftInvoice } from './draft-invoice.ts'
import { periodLine, prorationLine } from './invoice-lines.ts'
import { changeItems, type ItemChanges, samePeriod } from './item-changes.ts'
import { addPendingUpdate } from './pending-update.ts'
import { endTrial } from './renewals.ts'
import { applyTerms, setTrialPeriod, trialEnd } from './subscription-terms.ts'
import { cardDeclined } from './test-cards.ts'

/** Changes a subscription; the difference in price is charged as `proration_behavior` says. */
export function updateSubscription(account: Account, subscription: Subscription, params: Params): Subscription {
  checkUpdatable(subscription, params)
  checkNotScheduled(subscription, params)
  const change = params.items ? changeItems(account, subscription, params) : null
  const lines = change ? updateLines(account, subscription, change, params) : []
  const now = text(params, 'proration_behavior') === 'always_invoice' || Boolean(change && startsNewPeriod(change))
  const waits = text(params, 'payment_behavior') === 'pending_if_incomplete' && now && lines.length > 0
  account.update(subscription, () => {
    if (change && !waits) subscription.items.data = change.items
    applyTrial(account, subscription, params)
    applyPauseCollection(subscription, params)
    applyTerms(account, subscription, params)
  })
  if (!now) for (const line of lines) addInvoiceItem(account, subscription, line)
  else if (lines.length) billUpdate(account, subscription, lines, params, waits ? change?.items : undefined)
  if (subscription.status === 'trialing' && text(params, 'trial_end') === 'now') endTrial(account, subscription)
  return subscription
}

function checkUpdatable({ id, status, pending_update }: Subscription, params: Params): void {
  const names = Object.keys(params).filter((name) => !['expand', 'metadata', 'cancellation_details'].includes(name))
  if (status === 'canceled' || status === 'incomplete_expired') {
    if (names.length)
      throw invalidRequest('A canceled subscription can only update its cancellation_details and metadata.')
  }
  if (status === 'incomplete' && names.some((name) => name !== 'default_payment_method')) {
    throw invalidRequest(
      `Subscription ${id} is incomplete: until its first invoice is paid, only its metadata and default payment method can be updated.`,
    )
  }
  if (pending_update && params.items)
    throw invalidRequest('This subscription has a pending update, which must be paid or expire first.')
}

function startsNewPeriod({ pairs }: ItemChanges): boolean {
  return pairs.some(({ was, is }) => was && is && !samePeriod(was.price, is.price))
}

/** The invoice lines of an update: credits for paid time that stays unused, and charges for unpaid time. */
function updateLines(
  account: Account,
  { status }: Subscription,
  { pairs }: ItemChanges,
  params: Params,
): InvoiceLine[] {
  if (status === 'trialing' || status === 'paused') return []
  const prorates = text(params, 'proration_behavior') !== 'none'
  return pairs.flatMap(({ was, is }) => {
    const restarted = is && was && !samePeriod(was.price, is.price)
    const begun = is && (restarted || is.current_period_start === account.now())
    if (was && is && was.price.id === is.price.id && was.quantity === is.quantity) return []
    const credit = was && prorates ? [prorationLine(account, was, -1)] : []
    if (restarted || (begun && !was)) return [...credit, periodLine(account, is)]
    return is && prorates ? [...credit, prorationLine(account, is, 1)] : credit
  })
}

function billUpdate(
  account: Account,
  subscription: Subscription,
  lines: InvoiceLine[],
  params: Params,
  later?: SubscriptionItem[],
): void {
  const behavior = text(params, 'payment_behavior') || 'allow_incomplete'
  if (later) addPendingUpdate(account, subscription, { items: later, expiresAt: account.now() + 23 * hour })
  const invoice = draftInvoice(account, subscription, 'subscription_update', lines)
  finalizeInvoice(account, invoice)
  const collects = invoice.status === 'open' && subscription.collection_method === 'charge_automatically'
  if (!collects || behavior === 'default_incomplete') return
  const outcome = collectPayment(account, invoice)
  if (!outcome.paid && behavior === 'error_if_incomplete') throw cardDeclined(outcome.reason ?? 'generic_decline')
}

function applyTrial(account: Account, subscription: Subscription, params: Params): void {
  const end = trialEnd(account, params)
  if (end === null) return
  if (subscription.status !== 'trialing' && end <= account.now()) return
  subscription.trial_start ??= account.now()
  subscription.trial_end = end
  subscription.status = 'trialing'
  subscription.billing_cycle_anchor = end
  setTrialPeriod(subscription.items.data, subscription.trial_start, end)
}

function applyPauseCollection(subscription: Subscription, params: Params): void {
  if (params.pause_collection === '') subscription.pause_collection = null
  const wanted = hash(params, 'pause_collection')
  if (!wanted) return
  const behavior = text(wanted, 'behavior') ?? 'keep_as_draft'
  subscription.pause_collection = { behavior, resumes_at: number(wanted, 'resumes_at') ?? null }
}
