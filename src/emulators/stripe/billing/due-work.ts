import type { Account } from '../objects/account.ts'
import type { Invoice, Subscription } from '../objects/billing-objects.ts'
import { day, hour } from '../objects/clock.ts'
import { collectPayment } from './collect-invoice.ts'
import { endDiscounts } from './discounts.ts'
import { subscriptionOf } from './payment-outcome.ts'
import {
  cancelOnSchedule,
  endTrial,
  expireIncomplete,
  expirePendingUpdate,
  isOverdue,
  markOverdue,
  renew,
  resumeCollection,
} from './renewals.ts'
import { periodEnd } from './subscription-terms.ts'

interface DueWork {
  at: number
  work(): void
}

/** Does all that is due up to a moment, each at its own time, the earliest first. */
export function runDueWork(account: Account, until: number): void {
  for (let due = nextDue(account, until); due; due = nextDue(account, until)) {
    const { at, work } = due
    account.clock.runAt(at, () => account.transaction(work))
  }
}

function nextDue(account: Account, until: number): DueWork | undefined {
  let first: DueWork | undefined
  const consider = (due: DueWork) => {
    if (due.at <= until && (!first || due.at < first.at)) first = due
  }
  for (const subscription of account.store.all('subscription')) {
    if (!subscription.ended_at) subscriptionWork(account, subscription, consider)
  }
  for (const invoice of account.store.all('invoice')) {
    if (invoice.status === 'open') invoiceWork(account, invoice, consider)
  }
  return first
}

/** Work that is due at the same moment runs in the order of this list. */
function subscriptionWork(account: Account, subscription: Subscription, consider: (due: DueWork) => void): void {
  const { cancel_at, created, pending_update, status, trial_end } = subscription
  if (status === 'incomplete') {
    consider({ at: created + 23 * hour, work: () => expireIncomplete(account, subscription) })
    return
  }
  if (cancel_at !== null) {
    consider({ at: cancel_at, work: () => cancelOnSchedule(account, subscription) })
  }
  for (const id of subscription.discounts) {
    const ends = account.store.find('discount', id)?.end
    if (ends) consider({ at: ends, work: () => endDiscounts(account, subscription, (other) => other === id) })
  }
  const resumes = subscription.pause_collection?.resumes_at
  if (resumes) consider({ at: resumes, work: () => resumeCollection(account, subscription) })
  if (pending_update)
    consider({ at: pending_update.expires_at, work: () => expirePendingUpdate(account, subscription) })
  if (status === 'trialing' && trial_end !== null) {
    const note = { id: `trial_will_end ${subscription.id} ${trial_end}`, object: 'local.note' }
    if (!account.store.find('local.note', note.id)) {
      consider({
        at: Math.max(created, trial_end - 3 * day),
        work() {
          account.add(note)
          account.emit('customer.subscription.trial_will_end', subscription)
        },
      })
    }
    consider({ at: trial_end, work: () => endTrial(account, subscription) })
  }
  if (status === 'active' || status === 'past_due' || status === 'unpaid') {
    consider({ at: periodEnd(subscription), work: () => renew(account, subscription) })
  }
}

function invoiceWork(account: Account, invoice: Invoice, consider: (due: DueWork) => void): void {
  const { due_date, next_payment_attempt } = invoice
  if (next_payment_attempt !== null) consider({ at: next_payment_attempt, work: () => retryPayment(account, invoice) })
  const late = invoice.collection_method === 'send_invoice' && due_date !== null && !isOverdue(account, invoice)
  if (late && subscriptionOf(account, invoice)) consider({ at: due_date, work: () => markOverdue(account, invoice) })
}

function retryPayment(account: Account, invoice: Invoice): void {
  account.store.change(invoice, () => {
    invoice.next_payment_attempt = null
  })
  collectPayment(account, invoice)
}
