import { defaultMethodOf } from '../endpoints/customers.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice } from '../objects/billing-objects.ts'
import { createPaymentIntent } from '../objects/new-payment-intent.ts'
import type { InvoicePayment, PaymentIntent } from '../objects/payment-objects.ts'
import { cancelIntent } from './payment-attempts.ts'
import { subscriptionOf } from './payment-outcome.ts'

/** An invoice, its payment and its intent have ids that differ only in front. */
export function paymentIntentOf(account: Account, invoice: Invoice): PaymentIntent | undefined {
  return account.store.find('payment_intent', invoice.id.replace('in_', 'pi_'))
}

export function invoiceOf(account: Account, intent: PaymentIntent): Invoice | undefined {
  return account.store.find('invoice', intent.id.replace('pi_', 'in_'))
}

export function invoicePaymentOf(account: Account, invoice: Invoice): InvoicePayment | undefined {
  return account.store.find('invoice_payment', invoice.id.replace('in_', 'inpay_'))
}

/** Asks for what is due. */
export function requestPayment(account: Account, invoice: Invoice): void {
  const subscription = subscriptionOf(account, invoice)
  const intent = createPaymentIntent(account, invoice.id.replace('in_', 'pi_'), {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customer: invoice.customer,
    method:
      subscription && invoice.collection_method === 'charge_automatically'
        ? defaultMethodOf(account, subscription)
        : null,
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
export function cancelPayment(account: Account, invoice: Invoice, reason: string): void {
  const intent = paymentIntentOf(account, invoice)
  if (intent) cancelIntent(account, intent, reason)
  const payment = invoicePaymentOf(account, invoice)
  if (payment?.status !== 'open') return
  account.store.change(payment, () => {
    payment.status = 'canceled'
    payment.status_transitions.canceled_at = account.now()
  })
}
