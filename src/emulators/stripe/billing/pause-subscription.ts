import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { hash, text } from '../http/parameter-values.ts'
import type { Account } from '../objects/account.ts'
import type { InvoiceLine, Subscription } from '../objects/billing-objects.ts'
import { addInvoiceItem } from './draft-invoice.ts'
import { prorationLine } from './invoice-lines.ts'
import { pause } from './paused-status.ts'
import { billInvoiceItems } from './renewals.ts'

/**
 * Pauses a subscription at once, with a credit for its unused time as `bill_for` says.
 * Prices here are never metered, so no outstanding usage is billed. https://docs.stripe.com/billing/subscriptions/pause
 */
export function pauseSubscription(account: Account, subscription: Subscription, params: Params): Subscription {
  checkPausable(subscription)
  const credits = unusedTime(account, subscription, params)
  for (const line of credits) addInvoiceItem(account, subscription, line)
  pause(account, subscription, 'pause_requested')
  if (credits.length && text(params, 'invoicing_behavior') === 'invoice') billInvoiceItems(account, subscription)
  return subscription
}

const refusedStatuses = ['trialing', 'paused', 'incomplete', 'incomplete_expired', 'canceled']

/** Stripe publishes these limitations, but not the text of their errors. */
function checkPausable({ id, billing_mode, collection_method, schedule, status }: Subscription): void {
  if (refusedStatuses.includes(status)) {
    throw invalidRequest(`You cannot pause subscription \`${id}\`: its status is \`${status}\`.`)
  }
  if (billing_mode.type !== 'flexible') {
    throw invalidRequest(
      `You cannot pause subscription \`${id}\`: its billing mode is \`${billing_mode.type}\`, not \`flexible\`.`,
    )
  }
  if (collection_method !== 'charge_automatically') {
    throw invalidRequest(`You cannot pause subscription \`${id}\`: its collection method is \`${collection_method}\`.`)
  }
  if (schedule) {
    throw invalidRequest(`You cannot pause subscription \`${id}\`: it is attached to schedule \`${schedule}\`.`)
  }
}

function unusedTime(account: Account, { items }: Subscription, params: Params): InvoiceLine[] {
  const from = text(hash(hash(params, 'bill_for'), 'unused_time_from'), 'type') ?? 'now'
  if (from === 'none') return []
  const lines = items.data.map((item) =>
    prorationLine(account, item, -1, from === 'now' ? account.now() : item.current_period_start),
  )
  return lines.filter(({ amount }) => amount !== 0)
}
