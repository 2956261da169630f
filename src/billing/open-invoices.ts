import Stripe from 'stripe'
import { Problem } from '../hydra/index.ts'
import type { Billing } from './billing.ts'
import { requestStripe, withIdempotencyKeys } from './stripe/stripe-request.ts'

/** How the open invoice of a subscription can be paid by a person: in the browser's own form, or on Stripe's page. */
export interface PaymentDetails {
  secret: string | null
  url: string | null
}

export const noPaymentDetails: PaymentDetails = { secret: null, url: null }

const { errors } = Stripe

/** The request for a debt is short, because an answer can leave the debt out. */
const briefly = { timeout: 2000, maxNetworkRetries: 0 }

const secretly = ['confirmation_secret']

/** The debt of a subscription; the newest invoice of an unpaid one is a draft, so its newest open invoice is the debt. */
export async function subscriptionPaymentDetails({ stripe }: Billing, subscription: string): Promise<PaymentDetails> {
  const expand = ['latest_invoice.confirmation_secret']
  const { latest_invoice: latest, status } = await requestStripe(
    'subscription',
    stripe.subscriptions.retrieve(subscription, { expand }, briefly),
  )
  if (typeof latest === 'object' && latest?.status !== 'draft') return debt(latest)
  if (status !== 'unpaid') return debt(null)
  const wish: Stripe.InvoiceListParams = {
    subscription,
    status: 'open',
    limit: 1,
    expand: ['data.confirmation_secret'],
  }
  const { data } = await requestStripe('list', stripe.invoices.list(wish, briefly))
  return debt(data[0])
}

/** The debt that one invoice is. */
export async function invoicePaymentDetails({ stripe }: Billing, invoice: string): Promise<PaymentDetails> {
  return debt(await requestStripe('invoice', stripe.invoices.retrieve(invoice, { expand: secretly }, briefly)))
}

function debt(invoice: Stripe.Invoice | null | undefined): PaymentDetails {
  return {
    secret: invoice?.confirmation_secret?.client_secret ?? null,
    url: invoice?.status === 'open' ? (invoice.hosted_invoice_url ?? null) : null,
  }
}

/**
 * Pays what a subscription owes with another payment method, the oldest invoice first. The drafts of an unpaid subscription
 * are debts, too: Stripe charges none of them by itself. Payment stops where the bank asks for its holder's consent.
 * @throws Problem 402 when the payment is declined
 */
export async function payOpenInvoices(billing: Billing, id: string, paymentMethod: string, key: string): Promise<void> {
  const { stripe } = billing
  const [{ status }, { data }] = await Promise.all([
    billing.retrieveSubscription(id),
    requestStripe('list', stripe.invoices.list({ subscription: id, limit: 100 })),
  ])
  const owed = (invoice: Stripe.Invoice) =>
    invoice.collection_method !== 'send_invoice' &&
    (invoice.status === 'open' || (invoice.status === 'draft' && status === 'unpaid'))
  for (const invoice of data.filter(owed).reverse()) {
    const paid = await payInvoice(billing, invoice, paymentMethod, key)
    if (paid.status !== 'paid') return
  }
}

/**
 * Pays an invoice at once, with its own payment method unless another is named. Where the bank asks for its holder's consent,
 * the invoice stays open, and its confirmation secret is what that is given with.
 * @throws Problem 402 when the payment is declined, 409 when there is nothing to pay any more
 */
export async function payInvoice(
  { stripe }: Billing,
  { id, status }: Pick<Stripe.Invoice, 'id' | 'status'>,
  paymentMethod: string | undefined,
  key: string,
): Promise<Stripe.Invoice> {
  const now = () => stripe.invoices.retrieve(id, { expand: secretly })
  if (status === 'draft')
    await withIdempotencyKeys(`${key}:finalize:${id}`, (options) =>
      requestStripe('invoice', stripe.invoices.finalizeInvoice(id, { auto_advance: false }, options)),
    )
  const wish = { ...(paymentMethod && { payment_method: paymentMethod }), off_session: false }
  const send = (options: Stripe.RequestOptions) =>
    stripe.invoices.pay(id, wish, options).catch(async (error) => {
      if (error instanceof errors.StripeCardError && isConsent(error)) return now()
      if (!(error instanceof errors.StripeInvalidRequestError)) throw error
      const found = await now()
      if (found.status === 'open' || found.status === 'uncollectible') throw error
      return found
    })
  const paid = await withIdempotencyKeys(`${key}:pay:${id}`, (options) =>
    requestStripe('invoice', send(options), { payment_method: 'paymentMethod', '': 'paymentMethod' }),
  )
  if (paid.status === 'void') throw new Problem(409, 'The invoice is void: there is nothing to pay.')
  return paid
}

function isConsent({ code }: InstanceType<typeof errors.StripeCardError>): boolean {
  return code === 'invoice_payment_intent_requires_action' || code === 'authentication_required'
}
