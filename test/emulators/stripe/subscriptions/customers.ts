import type Stripe from 'stripe'
import { startLocalStripe } from '../../../../src/emulators/stripe/server.ts'
import { clientOf } from '../local-client.ts'

export const local = await startLocalStripe({ modules: ['planning', 'banking', 'invoicing', 'reporting'] })
export const stripe = clientOf(local)
afterAll(() => local.stop())

const prices = new Map((await stripe.prices.list({ limit: 100 })).data.map(({ id, lookup_key }) => [lookup_key, id]))
export const price = (key: string) => prices.get(key) as string
export const seats = (quantity: number) => [{ price: price('seat_monthly'), quantity }]

type Terms = Partial<Stripe.SubscriptionCreateParams>

/** A customer with a card, or with none. */
export async function customer(card: string | null = 'pm_card_visa') {
  const { id } = await stripe.customers.create({ name: 'Ada' })
  const method = card && (await stripe.paymentMethods.attach(card, { customer: id })).id
  if (method) await stripe.customers.update(id, { invoice_settings: { default_payment_method: method } })
  return { id, method: method ?? '' }
}

export async function subscribed(terms: Terms = {}, card: string | null = 'pm_card_visa') {
  const owner = await customer(card)
  const subscription = await stripe.subscriptions.create({ customer: owner.id, items: seats(3), ...terms })
  return { ...subscription, owner }
}

/** Moves the clock past the end of a subscription's period and the draft of its invoice, but before a failed payment is tried again. */
export function renew({ items }: Pick<Stripe.Subscription, 'items'>): void {
  local.advance({ hours: (items.data[0].current_period_end - local.now()) / 3600 + 2 })
}

export const statusOf = async ({ id }: { id: string }) => (await stripe.subscriptions.retrieve(id)).status
export const invoicesOf = async ({ id }: { id: string }) => (await stripe.invoices.list({ subscription: id })).data

/** As Stripe.js does it, with the key for browsers. */
export async function confirm(secret: string, method?: string) {
  const answer = await fetch(`${local.url}/v1/payment_intents/${secret.split('_secret_')[0]}/confirm`, {
    method: 'POST',
    headers: { authorization: `Bearer ${local.publishableKey}` },
    body: new URLSearchParams({ client_secret: secret, ...(method && { payment_method: method }) }),
  })
  return { status: answer.status, body: (await answer.json()) as Stripe.PaymentIntent }
}

export async function secretOf({ id }: { id: string }) {
  const { latest_invoice } = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice.confirmation_secret'] })
  return (latest_invoice as Stripe.Invoice).confirmation_secret?.client_secret ?? ''
}
