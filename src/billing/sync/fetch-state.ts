import type Stripe from 'stripe'
import { Problem } from '../../hydra/index.ts'
import { type Billing, expandInList, subscriptionExpand } from '../billing.ts'
import { isMissing } from '../stripe/stripe-errors.ts'
import { requestStripe, requestStripeList } from '../stripe/stripe-request.ts'
import type { Products } from '../stripe/subscription-items.ts'
import type { FetchOptions } from './sync-customer.ts'

/** All that Stripe has of a customer, as far as it is shown here. */
export interface StripeState {
  customer: Stripe.Customer
  subscriptions: Stripe.Subscription[]
  paymentMethods: Stripe.PaymentMethod[]
  /** Whether these are all that can be paid with. */
  hasAllPaymentMethods: boolean
  invoices: Stripe.Invoice[]
  products: Products
  /** How many objects were left out, as they make no sense. */
  skipped: number
}

/** A lock is held and a connection meanwhile, so nothing is tried again within: the job is, later. */
const once = { timeout: 10_000, maxNetworkRetries: 0 }

const most = 100

/** Fetches it all at once; undefined when Stripe has deleted the customer, or does not know it where that may be. */
export async function fetchState(
  { stripe, prices }: Billing,
  customer: string,
  { invoices: named = [], thorough = false, unknown = false }: FetchOptions,
): Promise<StripeState | undefined> {
  const whole = Promise.all([
    requestStripeList(
      stripe.subscriptions.list(
        { customer, status: 'all', limit: most, expand: expandInList(subscriptionExpand) },
        once,
      ),
    ),
    requestStripeList(stripe.customers.listPaymentMethods(customer, { limit: most }, once)),
    requestStripeList(stripe.invoices.list({ customer, limit: most }, once)),
    ...named.map((id) => invoice(stripe, id)),
  ])
  whole.catch(() => {})
  const found = await requestStripe(
    'customer',
    stripe.customers.retrieve(customer, {}, once) as Promise<Stripe.Customer | Stripe.DeletedCustomer>,
  ).catch((problem) => {
    if (unknown && isMissing(problem, 'customer', customer)) return undefined
    throw problem
  })
  // Of one that is deleted nothing else can be had.
  if (!found || found.deleted) return undefined
  const [subscriptions, paymentMethods, newest, ...others] = await whole
  const older = thorough ? await olderThan(stripe, customer, newest) : { data: [], left: 0 }
  const missing = others.filter((one) => one && !newest.data.some(({ id }) => id === one.id)) as Stripe.Invoice[]
  return {
    customer: found,
    products: await prices.productsFor(subscriptions.data),
    subscriptions: subscriptions.data,
    paymentMethods: paymentMethods.data,
    hasAllPaymentMethods: !paymentMethods.has_more && paymentMethods.left === 0,
    invoices: [...newest.data, ...older.data, ...missing.filter(({ id }) => !older.data.some((one) => one.id === id))],
    skipped: subscriptions.left + paymentMethods.left + newest.left + older.left,
  }
}

/** The invoice of that id; undefined where it was a draft that has been deleted. */
async function invoice(stripe: Stripe, id: string): Promise<Stripe.Invoice | undefined> {
  return requestStripe('invoice', stripe.invoices.retrieve(id, {}, once), { '': 'id', invoice: 'id' }).catch(
    (error) => {
      if (error instanceof Problem && error.status === 422) return undefined
      throw error
    },
  )
}

async function olderThan(
  stripe: Stripe,
  customer: string,
  first: { data: Stripe.Invoice[]; has_more: boolean },
): Promise<{ data: Stripe.Invoice[]; left: number }> {
  const data: Stripe.Invoice[] = []
  let left = 0
  for (let page = first; page.has_more && page.data.length > 0; ) {
    const next = await requestStripeList(
      stripe.invoices.list({ customer, limit: most, starting_after: page.data.at(-1)?.id }, once),
    )
    data.push(...next.data)
    left += next.left
    page = next
  }
  return { data, left }
}
