import { methodFor } from '../endpoints/customers.ts'
import { type Refusal, refusal } from '../http/api-error.ts'
import { existing } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice } from '../objects/billing-objects.ts'
import { dropPayment, intentOf, paymentOf, request } from './invoice-payments.ts'
import { charge, type Outcome } from './payment-attempts.ts'
import { paid, subscriptionOf, unpaid } from './payment-outcome.ts'

/** What one payment may be at most, in cents. */
const most = 99_999_999

/** @returns whether it could be done: by itself an invoice that is too large stays a draft, and says why */
export function finalizeByItself(account: Account, invoice: Invoice): boolean {
  if (invoice.amount_due <= most) {
    finalize(account, invoice)
    return true
  }
  account.update(
    invoice,
    () => {
      invoice.auto_advance = false
      invoice.last_finalization_error = tooLarge(invoice).fault.error
    },
    'invoice.finalization_failed',
  )
  return false
}

function tooLarge({ currency }: Invoice): Refusal {
  return refusal(`Amount must be no more than 999,999.99 ${currency.toUpperCase()}`, { code: 'amount_too_large' })
}

/** Makes a draft due: it gets its number, and what is to be paid gets an intent. */
export function finalize(account: Account, invoice: Invoice): void {
  if (invoice.amount_due > most) throw tooLarge(invoice)
  const customer = existing(account, 'customer', invoice.customer)
  const number = `${customer.invoice_prefix}-${String(customer.next_invoice_sequence).padStart(4, '0')}`
  account.update(customer, () => {
    customer.next_invoice_sequence++
    customer.currency ??= invoice.currency
    customer.balance = invoice.starting_balance + invoice.total - invoice.amount_due
  })
  account.update(
    invoice,
    () => {
      invoice.status = 'open'
      invoice.number = number
      invoice.effective_at = account.now()
      invoice.ending_balance = customer.balance
      invoice.status_transitions.finalized_at = account.now()
      invoice.hosted_invoice_url = `${account.origin}/local/invoices/${invoice.id}`
      invoice.invoice_pdf = `${account.origin}/local/invoices/${invoice.id}/pdf`
    },
    'invoice.finalized',
  )
  if (!invoice.amount_due) settle(account, invoice, null)
  else request(account, invoice)
}

interface Means {
  method?: string | null
  authenticated?: boolean
}

/** Tries to have an open invoice paid, and lets its subscription bear what comes of it. */
export function collect(account: Account, invoice: Invoice, { method, authenticated }: Means = {}): Outcome {
  const intent = intentOf(account, invoice)
  if (!intent) return { paid: false, action: false, reason: null }
  const subscription = subscriptionOf(account, invoice)
  const means = method ?? invoice.default_payment_method ?? (subscription && methodFor(account, subscription)) ?? null
  const outcome = charge(account, intent, { method: means, authenticated })
  if (outcome.paid) {
    settle(account, invoice, outcome.method)
    return outcome
  }
  account.update(
    invoice,
    () => {
      invoice.attempted = true
      invoice.attempt_count++
    },
    'invoice.payment_failed',
  )
  if (outcome.action) account.tell('invoice.payment_action_required', invoice)
  unpaid(account, invoice)
  return outcome
}

/** The invoice is paid, by a charge or otherwise. */
export function settle(account: Account, invoice: Invoice, method: string | null): void {
  const now = account.now()
  account.update(
    invoice,
    () => {
      invoice.status = 'paid'
      invoice.amount_paid = invoice.amount_due
      invoice.amount_remaining = 0
      invoice.attempted = true
      if (method) invoice.attempt_count++
      invoice.next_payment_attempt = null
      invoice.status_transitions.paid_at = now
    },
    'invoice.paid',
  )
  account.tell('invoice.payment_succeeded', invoice)
  const payment = paymentOf(account, invoice)
  if (payment && method) {
    account.update(
      payment,
      () => {
        payment.status = 'paid'
        payment.amount_paid = invoice.amount_due
        payment.status_transitions.paid_at = now
      },
      'invoice_payment.paid',
    )
  }
  paid(account, invoice, method)
}

/** Nothing is asked for any more. */
export function voidInvoice(account: Account, invoice: Invoice): void {
  account.update(
    invoice,
    () => {
      invoice.status = 'void'
      invoice.amount_remaining = 0
      invoice.auto_advance = false
      invoice.next_payment_attempt = null
      invoice.status_transitions.voided_at = account.now()
    },
    'invoice.voided',
  )
  dropPayment(account, invoice, 'void_invoice')
}
