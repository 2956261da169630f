import type Stripe from 'stripe'
import type { DataSource } from 'typeorm'

/** The state of an organization at Stripe or in the database. Both are read without the code of the server. */
export interface CustomerState {
  current: string | null
  subscriptions: object[]
  paymentMethods: object[]
  invoices: object[]
}

const live = (status: string) => !['canceled', 'incomplete_expired'].includes(status)
const sorted = <T extends { id: string }>(rows: T[]) => rows.toSorted((one, other) => (one.id < other.id ? -1 : 1))

/** The state of a customer at Stripe. */
export async function stateAtStripe(client: Stripe, customer: string): Promise<CustomerState> {
  const { invoice_settings: billing } = (await client.customers.retrieve(customer)) as Stripe.Customer
  const methods = await client.customers.listPaymentMethods(customer, { limit: 100 }).autoPagingToArray({ limit: 1000 })
  const attached = new Set(methods.map(({ id }) => id))
  const subscriptions = await client.subscriptions
    .list({ customer, status: 'all', limit: 100, expand: ['data.discounts.promotion_code'] })
    .autoPagingToArray({ limit: 1000 })
  const invoices = await client.invoices.list({ customer, limit: 100 }).autoPagingToArray({ limit: 1000 })
  return {
    current: subscriptions.find(({ status }) => live(status))?.id ?? null,
    subscriptions: sorted(subscriptions.map((one) => subscriptionAtStripe(one, attached))),
    paymentMethods: sorted(
      methods.map(({ id, type, card }) => ({
        id,
        type,
        brand: card?.brand,
        last4: card?.last4,
        month: card?.exp_month,
        year: card?.exp_year,
        preferred: billing.default_payment_method === id,
      })),
    ),
    invoices: sorted(invoices.map(invoiceAtStripe)),
  }
}

function subscriptionAtStripe(subscription: Stripe.Subscription, attached: Set<string>) {
  const { id, status, items, discounts, cancel_at, default_payment_method } = subscription
  const keys = items.data.map(({ price, quantity }) => ({ key: String(price.lookup_key), quantity }))
  const seat = keys.find(({ key }) => key.startsWith('seat_'))
  const [discount] = discounts as Stripe.Discount[]
  const method = default_payment_method as string | null
  return {
    id,
    status,
    type: seat?.key.slice('seat_'.length),
    seats: seat?.quantity,
    modules: keys.flatMap(({ key }) => /^module_(.+)_/.exec(key)?.[1] ?? []).sort(),
    coupon: discount ? String(discount.source.coupon) : null,
    cancelAt: cancel_at,
    paymentMethod: method && attached.has(method) ? method : null,
  }
}

function invoiceAtStripe(invoice: Stripe.Invoice) {
  const { id, number, status, currency, total, amount_due, due_date, invoice_pdf, parent } = invoice
  return {
    id: String(id),
    number,
    status,
    currency,
    total,
    due: amount_due,
    issuedAt: invoice.status_transitions.finalized_at,
    dueAt: due_date,
    paidAt: invoice.status_transitions.paid_at,
    pdf: invoice_pdf,
    subscription: parent?.subscription_details?.subscription,
  }
}

const seconds = (column: string) => `extract(epoch FROM ${column})::int`

/** The state of an organization in the database. */
export async function stateInDatabase(database: DataSource, organization: string): Promise<CustomerState> {
  const [{ current }] = await database.query(
    `SELECT s."externalId" AS "current" FROM "organization" o LEFT JOIN "subscription" s ON s."organizationId" = o."id"
        AND s."status" NOT IN ('canceled', 'incomplete_expired')
      WHERE o."id" = $1`,
    [organization],
  )
  const subscriptions = await database.query(
    `SELECT s."externalId" AS "id", s."status", s."type", s."seats", s."modules", s."coupon", m."externalId" AS "paymentMethod",
        ${seconds('s."cancelAt"')} AS "cancelAt"
      FROM "subscription" s LEFT JOIN "payment_method" m ON m."id" = s."paymentMethodId" WHERE s."organizationId" = $1`,
    [organization],
  )
  const paymentMethods = await database.query(
    `SELECT "externalId" AS "id", "type", "brand", "last4", "expiryMonth" AS "month", "expiryYear" AS "year", "preferred"
      FROM "payment_method" WHERE "organizationId" = $1`,
    [organization],
  )
  const invoices = await database.query(
    `SELECT i."externalId" AS "id", i."name" AS "number", i."status", lower(i."currency") AS "currency", i."total"::int,
        i."amountDue"::int AS "due", i."pdf", s."externalId" AS "subscription", ${seconds('i."issuedAt"')} AS "issuedAt",
        ${seconds('i."dueAt"')} AS "dueAt", ${seconds('i."paidAt"')} AS "paidAt"
      FROM "invoice" i JOIN "subscription" s ON s."id" = i."subscriptionId" WHERE i."organizationId" = $1`,
    [organization],
  )
  for (const subscription of subscriptions) subscription.modules.sort()
  return {
    current,
    subscriptions: sorted(subscriptions),
    paymentMethods: sorted(paymentMethods),
    invoices: sorted(invoices),
  }
}
