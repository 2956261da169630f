import { requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { Invoice, InvoiceItem, InvoiceLine, Subscription } from '../objects/billing-objects.ts'
import { applyDiscounts, couponOf, endDiscounts } from './discounts.ts'

type BillingReason = 'subscription_create' | 'subscription_cycle' | 'subscription_update' | 'manual'

/** Waits for the next invoice. */
export function addInvoiceItem(account: Account, subscription: Subscription, line: InvoiceLine): void {
  const { id, customer } = subscription
  const pending: InvoiceItem = {
    id: account.ids.next('ii_'),
    object: 'invoiceitem',
    amount: line.amount,
    customer,
    subscription: id,
    line,
  }
  account.add(pending)
}

/** Takes what waits for the next invoice away. */
export function removeInvoiceItems(account: Account, subscription: Subscription): InvoiceLine[] {
  const pending = [...account.store.all('invoiceitem')].filter((item) => item.subscription === subscription.id)
  for (const item of pending) account.store.remove(item)
  return pending.map(({ line }) => line)
}

export function hasInvoiceItems(account: Account, { id }: Subscription): boolean {
  return [...account.store.all('invoiceitem')].some(({ subscription }) => subscription === id)
}

/** A new invoice of a subscription, with all that has been waiting for one; a discount for one invoice ends with it. */
export function draftInvoice(
  account: Account,
  subscription: Subscription,
  reason: BillingReason,
  own: InvoiceLine[],
): Invoice {
  const customer = requireObject(account, 'customer', subscription.customer)
  const lines = [...removeInvoiceItems(account, subscription), ...own]
  const id = account.ids.next('in_')
  for (const line of lines) line.invoice = id
  const subtotal = lines.reduce((sum, { amount }) => sum + amount, 0)
  const taken = applyDiscounts(account, lines, subscription.discounts)
  const total = subtotal - taken.reduce((sum, { amount }) => sum + amount, 0)
  const due = Math.max(0, total + customer.balance)
  const now = account.now()
  const start = Math.min(...lines.map((line) => (line.period as { start: number }).start))
  const send = subscription.collection_method === 'send_invoice'
  const invoice: Invoice = {
    id,
    object: 'invoice',
    account_country: 'NL',
    account_name: 'Local',
    account_tax_ids: null,
    amount_due: due,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: due,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: reason,
    collection_method: subscription.collection_method,
    created: now,
    currency: subscription.currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address,
    customer_email: customer.email,
    customer_name: customer.name,
    customer_phone: customer.phone,
    customer_shipping: customer.shipping,
    customer_tax_exempt: customer.tax_exempt,
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [...subscription.discounts],
    due_date: send ? now + (subscription.days_until_due ?? 0) * 86_400 : null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: { object: 'list', data: lines, has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode: false,
    metadata: {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent: {
      quote_details: null,
      subscription_details: { metadata: { ...subscription.metadata }, subscription: subscription.id },
      type: 'subscription_details',
    },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: now,
    period_start: Math.min(now, start),
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: customer.balance,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: {
      finalized_at: null,
      marked_uncollectible_at: null,
      paid_at: null,
      voided_at: null,
    },
    subtotal,
    subtotal_excluding_tax: subtotal,
    test_clock: null,
    total,
    total_discount_amounts: taken,
    total_excluding_tax: total,
    total_pretax_credit_amounts: taken.map(({ amount, discount }) => ({ amount, discount, type: 'discount' })),
    total_taxes: [],
    webhooks_delivered_at: now,
  }
  account.add(invoice, 'invoice.created')
  if (subtotal > 0) endDiscounts(account, subscription, (discount) => couponOf(account, discount)?.duration === 'once')
  account.update(subscription, () => {
    subscription.latest_invoice = id
  })
  return invoice
}
