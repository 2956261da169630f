import type Stripe from 'stripe'
import { Problem } from '../../hydra/index.ts'
import { type Billing, expandInList, subscriptionExpand } from '../billing.ts'
import { isMissing } from '../stripe/stripe-errors.ts'
import { requestStripe, requestStripeList } from '../stripe/stripe-request.ts'
import type { Products } from '../stripe/subscription-items.ts'

export interface FetchOptions {
  /** Stripe's ids of invoices to fetch even where they are not among the newest hundred. */
  invoices?: string[]
  /** Fetches all invoices, not only the newest hundred. */
  thorough?: boolean
  /** Treats a customer that Stripe does not know as deleted. */
  unknown?: boolean
}

/** The state of a customer at Stripe, as far as this server stores it. */
export interface StripeState {
  customer: Stripe.Customer
  subscriptions: Stripe.Subscription[]
  paymentMethods: Stripe.PaymentMethod[]
  /** False when the list has more pages, or when malformed payment methods were skipped. */
  hasAllPaymentMethods: boolean
  invoices: Stripe.Invoice[]
  products: Products
  /** The number of malformed objects, which are left out. */
  skipped: number
}

/** The fetch holds a lock and a connection, so the client does not retry: the job runs again later. */
const withoutRetries = { timeout: 10_000, maxNetworkRetries: 0 }

/** The most objects that Stripe returns in one page. */
const maxPageSize = 100

/**
 * Fetches the state of a customer with simultaneous requests.
 * @returns undefined when Stripe has deleted the customer, or, with the option `unknown`, when Stripe does not know it
 */
export async function fetchState(
  { stripe, prices }: Billing,
  customer: string,
  { invoices: invoiceIds = [], thorough = false, unknown = false }: FetchOptions,
): Promise<StripeState | undefined> {
  const lists = Promise.all([
    requestStripeList(
      stripe.subscriptions.list(
        { customer, status: 'all', limit: maxPageSize, expand: expandInList(subscriptionExpand) },
        withoutRetries,
      ),
    ),
    requestStripeList(stripe.customers.listPaymentMethods(customer, { limit: maxPageSize }, withoutRetries)),
    requestStripeList(stripe.invoices.list({ customer, limit: maxPageSize }, withoutRetries)),
    ...invoiceIds.map((id) => fetchInvoice(stripe, id)),
  ])
  lists.catch(() => {})
  const found = await requestStripe(
    'customer',
    stripe.customers.retrieve(customer, {}, withoutRetries) as Promise<Stripe.Customer | Stripe.DeletedCustomer>,
  ).catch((problem) => {
    if (unknown && isMissing(problem, 'customer', customer)) return undefined
    throw problem
  })
  // Stripe returns only the id of a deleted customer, and its lists fail.
  if (!found || found.deleted) return undefined
  const [subscriptions, paymentMethods, newest, ...others] = await lists
  const older = thorough ? await fetchOlderInvoices(stripe, customer, newest) : { data: [], skipped: 0 }
  const missing = others.filter((one) => one && !newest.data.some(({ id }) => id === one.id)) as Stripe.Invoice[]
  return {
    customer: found,
    products: await prices.productsFor(subscriptions.data),
    subscriptions: subscriptions.data,
    paymentMethods: paymentMethods.data,
    hasAllPaymentMethods: !paymentMethods.has_more && paymentMethods.skipped === 0,
    invoices: [...newest.data, ...older.data, ...missing.filter(({ id }) => !older.data.some((one) => one.id === id))],
    skipped: subscriptions.skipped + paymentMethods.skipped + newest.skipped + older.skipped,
  }
}

/** @returns undefined when the invoice was a draft and was deleted */
async function fetchInvoice(stripe: Stripe, id: string): Promise<Stripe.Invoice | undefined> {
  return requestStripe('invoice', stripe.invoices.retrieve(id, {}, withoutRetries), { '': 'id', invoice: 'id' }).catch(
    (error) => {
      if (error instanceof Problem && error.status === 422) return undefined
      throw error
    },
  )
}

/** Fetches the pages after the first. */
async function fetchOlderInvoices(
  stripe: Stripe,
  customer: string,
  first: { data: Stripe.Invoice[]; has_more: boolean },
): Promise<{ data: Stripe.Invoice[]; skipped: number }> {
  const data: Stripe.Invoice[] = []
  let skipped = 0
  for (let page = first; page.has_more && page.data.length > 0; ) {
    const next = await requestStripeList(
      stripe.invoices.list({ customer, limit: maxPageSize, starting_after: page.data.at(-1)?.id }, withoutRetries),
    )
    data.push(...next.data)
    skipped += next.skipped
    page = next
  }
  return { data, skipped }
}
