import { defaultMethodOf } from '../endpoints/customers.ts'
import { requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice } from '../objects/billing-objects.ts'
import { amountTooLarge, maxAmount } from './amount-limit.ts'
import { cancelPayment, invoicePaymentOf, paymentIntentOf, requestPayment } from './invoice-payments.ts'
import { type AttemptOutcome, attemptPayment } from './payment-attempts.ts'
import { invoicePaid, invoiceVoided, paymentFailed, subscriptionOf } from './payment-outcome.ts'

/** @returns whether it could be done: by itself an invoice that is too large stays a draft, and says why */
export function finalizeAutomatically(account: Account, invoice: Invoice): boolean {
  if (invoice.amount_due <= maxAmount) {
    finalizeInvoice(account, invoice)
    return true
  }
  account.update(
    invoice,
    () => {
      invoice.auto_advance = false
      invoice.last_finalization_error = amountTooLarge(invoice.currency).response.error
    },
    'invoice.finalization_failed',
  )
  return false
}

/** Finalizes a draft: it gets its number, and a payment intent if an amount is due. */
export function finalizeInvoice(account: Account, invoice: Invoice): void {
  if (invoice.amount_due > maxAmount) throw amountTooLarge(invoice.currency)
  const customer = requireObject(account, 'customer', invoice.customer)
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
  if (!invoice.amount_due) markPaid(account, invoice, null)
  else requestPayment(account, invoice)
}

interface PaymentOptions {
  method?: string | null
  authenticated?: boolean
  /** Whether a request orders this attempt; otherwise it is an attempt of automatic collection. */
  ordered?: boolean
}

/** Tries to have an open invoice paid, and lets its subscription bear what comes of it. */
export function collectPayment(
  account: Account,
  invoice: Invoice,
  { method, authenticated, ordered = false }: PaymentOptions = {},
): AttemptOutcome {
  const intent = paymentIntentOf(account, invoice)
  if (!intent) return { paid: false, action: false, reason: null }
  const subscription = subscriptionOf(account, invoice)
  const means =
    method ?? invoice.default_payment_method ?? (subscription && defaultMethodOf(account, subscription)) ?? null
  const outcome = attemptPayment(account, intent, { method: means, authenticated })
  if (outcome.paid) {
    markPaid(account, invoice, outcome.method)
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
  if (outcome.action) account.emit('invoice.payment_action_required', invoice)
  paymentFailed(account, invoice, !ordered)
  return outcome
}

/** The invoice is paid, by a charge or otherwise. */
export function markPaid(account: Account, invoice: Invoice, method: string | null): void {
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
  account.emit('invoice.payment_succeeded', invoice)
  const payment = invoicePaymentOf(account, invoice)
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
  invoicePaid(account, invoice, method)
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
  cancelPayment(account, invoice, 'void_invoice')
  invoiceVoided(account, invoice)
}
