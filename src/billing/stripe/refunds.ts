import Stripe from 'stripe'
import { Problem } from '../../hydra/index.ts'
import { requestStripe, withIdempotencyKeys } from './stripe-request.ts'

const { errors } = Stripe

/** The refund of a subscription's payments. */
export interface Refunded {
  /** In the smallest unit of the currency. */
  amount: number
  /** Why Stripe does not refund a payment; a repeated request would not change that. */
  refusals: string[]
}

/**
 * Refunds every payment of a subscription that must not exist. A repeated call refunds nothing twice, so a job may repeat it.
 * @throws Problem 502 or 503 while Stripe fails or cannot be reached
 */
export async function refundDuplicate(stripe: Stripe, subscription: string): Promise<Refunded> {
  const refunded: Refunded = { amount: 0, refusals: [] }
  const invoices = await requestStripe('list', stripe.invoices.list({ subscription, status: 'paid', limit: 100 }))
  for (const { id: invoice, amount_paid: paid } of invoices.data) {
    if (!paid) continue
    const payments = await requestStripe('list', stripe.invoicePayments.list({ invoice, status: 'paid', limit: 100 }))
    for (const { payment, amount_paid: amount } of payments.data) {
      const intent = payment.payment_intent
      if (!intent) continue
      await refundPayment(stripe, typeof intent === 'string' ? intent : intent.id, amount ?? 0, refunded)
    }
  }
  return refunded
}

async function refundPayment(stripe: Stripe, intent: string, paid: number, refunded: Refunded): Promise<void> {
  try {
    const { amount } = await withIdempotencyKeys(`refund:${intent}`, (options) =>
      requestStripe('refund', stripe.refunds.create({ payment_intent: intent, reason: 'duplicate' }, options)),
    )
    refunded.amount += amount
  } catch (problem) {
    const { cause } = problem as Problem
    if (!(problem instanceof Problem) || problem.status >= 500 || !(cause instanceof errors.StripeError)) throw problem
    if (cause.code === 'charge_already_refunded') refunded.amount += paid
    else refunded.refusals.push(cause.message)
  }
}
