import Stripe from 'stripe'
import type { Subscription } from '../../entities/index.ts'
import { Problem } from '../hydra/index.ts'
import type { Billing } from './billing.ts'
import { requestStripe, withIdempotencyKeys } from './stripe/stripe-request.ts'

/** How a person pays an open invoice: the client secret is for the browser's own form, the URL is Stripe's page. */
export interface PaymentDetails {
  secret: string | null
  url: string | null
}

export const noPaymentDetails: PaymentDetails = { secret: null, url: null }

const { errors } = Stripe

/** The timeout is short, because a response may omit the payment details. */
const shortTimeout = { timeout: 2000, maxNetworkRetries: 0 }

const secretExpand = ['confirmation_secret']

/**
 * The payment details of the open invoice of a subscription. The latest invoice of an `unpaid` subscription is a draft, so its
 * newest open invoice is listed.
 */
export async function subscriptionPaymentDetails({ stripe }: Billing, subscription: string): Promise<PaymentDetails> {
  const expand = ['latest_invoice.confirmation_secret']
  const { latest_invoice: latest, status } = await requestStripe(
    'subscription',
    stripe.subscriptions.retrieve(subscription, { expand }, shortTimeout),
  )
  if (typeof latest === 'object' && latest?.status !== 'draft') return paymentDetails(latest)
  if (status !== 'unpaid') return paymentDetails(null)
  const params: Stripe.InvoiceListParams = {
    subscription,
    status: 'open',
    limit: 1,
    expand: ['data.confirmation_secret'],
  }
  const { data } = await requestStripe('list', stripe.invoices.list(params, shortTimeout))
  return paymentDetails(data[0])
}

export async function invoicePaymentDetails({ stripe }: Billing, invoice: string): Promise<PaymentDetails> {
  return paymentDetails(
    await requestStripe('invoice', stripe.invoices.retrieve(invoice, { expand: secretExpand }, shortTimeout)),
  )
}

/** Adds the payment details to a subscription that may have an open invoice. While Stripe fails they are omitted. */
export async function withPaymentDetails(billing: Billing, subscription: Subscription): Promise<Subscription> {
  const { canHaveOpenInvoice, externalId } = subscription
  if (!canHaveOpenInvoice) return subscription
  return subscription.showPayment(
    await subscriptionPaymentDetails(billing, `${externalId}`).catch(() => noPaymentDetails),
  )
}

function paymentDetails(invoice: Stripe.Invoice | null | undefined): PaymentDetails {
  return {
    secret: invoice?.confirmation_secret?.client_secret ?? null,
    url: invoice?.status === 'open' ? (invoice.hosted_invoice_url ?? null) : null,
  }
}

/**
 * Pays the open invoices of a subscription with another payment method, the oldest first. The drafts of an `unpaid`
 * subscription are paid too, because Stripe does not charge them by itself. It stops when the bank requires the holder's consent.
 * @throws Problem 402 when the bank declines a payment
 */
export async function payOpenInvoices(billing: Billing, id: string, paymentMethod: string, key: string): Promise<void> {
  const { stripe } = billing
  const [{ status }, { data }] = await Promise.all([
    billing.retrieveSubscription(id),
    requestStripe('list', stripe.invoices.list({ subscription: id, limit: 100 })),
  ])
  const isOwed = (invoice: Stripe.Invoice) =>
    invoice.collection_method !== 'send_invoice' &&
    (invoice.status === 'open' || (invoice.status === 'draft' && status === 'unpaid'))
  for (const invoice of data.filter(isOwed).reverse()) {
    const paid = await payInvoice(billing, invoice, paymentMethod, key)
    if (paid.status !== 'paid') return
  }
}

/**
 * Pays an invoice at once, with its own payment method unless another is passed. When the bank requires the holder's consent,
 * the invoice stays open, and the browser confirms the payment with the confirmation secret.
 * @throws Problem 402 when the bank declines the payment, 409 when the invoice is void
 */
export async function payInvoice(
  { stripe }: Billing,
  { id, status }: Pick<Stripe.Invoice, 'id' | 'status'>,
  paymentMethod: string | undefined,
  key: string,
): Promise<Stripe.Invoice> {
  const retrieve = () => stripe.invoices.retrieve(id, { expand: secretExpand })
  if (status === 'draft')
    await withIdempotencyKeys(`${key}:finalize:${id}`, (options) =>
      requestStripe('invoice', stripe.invoices.finalizeInvoice(id, { auto_advance: false }, options)),
    )
  const params = { ...(paymentMethod && { payment_method: paymentMethod }), off_session: false }
  const send = (options: Stripe.RequestOptions) =>
    stripe.invoices.pay(id, params, options).catch(async (error) => {
      if (error instanceof errors.StripeCardError && requiresConsent(error)) return retrieve()
      if (!(error instanceof errors.StripeInvalidRequestError)) throw error
      const found = await retrieve()
      if (found.status === 'open' || found.status === 'uncollectible') throw error
      return found
    })
  const paid = await withIdempotencyKeys(`${key}:pay:${id}`, (options) =>
    requestStripe('invoice', send(options), { payment_method: 'paymentMethod', '': 'paymentMethod' }),
  )
  if (paid.status === 'void') throw new Problem(409, 'The invoice is void, so it cannot be paid.')
  return paid
}

function requiresConsent({ code }: InstanceType<typeof errors.StripeCardError>): boolean {
  return code === 'invoice_payment_intent_requires_action' || code === 'authentication_required'
}
