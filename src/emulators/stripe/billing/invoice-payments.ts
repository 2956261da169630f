import { methodFor } from '../endpoints/customers.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice, InvoicePayment, PaymentIntent } from '../objects/billing-objects.ts'
import { createIntent } from '../objects/new-payment-intent.ts'
import { cancelIntent } from './payment-attempts.ts'
import { subscriptionOf } from './payment-outcome.ts'

/** An invoice, its payment and its intent have ids that differ only in front. */
export function intentOf(account: Account, invoice: Invoice): PaymentIntent | undefined {
  return account.store.find('payment_intent', invoice.id.replace('in_', 'pi_'))
}

export function invoiceOf(account: Account, intent: PaymentIntent): Invoice | undefined {
  return account.store.find('invoice', intent.id.replace('pi_', 'in_'))
}

export function paymentOf(account: Account, invoice: Invoice): InvoicePayment | undefined {
  return account.store.find('invoice_payment', invoice.id.replace('in_', 'inpay_'))
}

/** Asks for what is due. */
export function request(account: Account, invoice: Invoice): void {
  const subscription = subscriptionOf(account, invoice)
  const intent = createIntent(account, invoice.id.replace('in_', 'pi_'), {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customer: invoice.customer,
    method:
      subscription && invoice.collection_method === 'charge_automatically' ? methodFor(account, subscription) : null,
  })
  const payment: InvoicePayment = {
    id: invoice.id.replace('in_', 'inpay_'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: invoice.amount_due,
    created: account.now(),
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  }
  account.add(payment)
}

/** Asks no longer. */
export function dropPayment(account: Account, invoice: Invoice, reason: string): void {
  const intent = intentOf(account, invoice)
  if (intent) cancelIntent(account, intent, reason)
  const payment = paymentOf(account, invoice)
  if (payment?.status !== 'open') return
  account.store.change(payment, () => {
    payment.status = 'canceled'
    payment.status_transitions.canceled_at = account.now()
  })
}
