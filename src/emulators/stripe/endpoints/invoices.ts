import { collect, finalize, settle, voidInvoice } from '../billing/collect-invoice.ts'
import { sourceless } from '../billing/create-subscription.ts'
import { dropPayment, intentOf } from '../billing/invoice-payments.ts'
import { giveUp, preview } from '../billing/renewals.ts'
import { declined } from '../billing/test-cards.ts'
import { refusal } from '../http/api-error.ts'
import { page, paging } from '../http/list-pages.ts'
import { flag, hash, merge, text } from '../http/parameter-values.ts'
import { type Call, existing, named, type Route } from '../http/route.ts'
import type { Invoice } from '../objects/billing-objects.ts'
import { ownMethod } from './customers.ts'

const url = '/v1/invoices'

export const invoices: Route[] = [
  { method: 'GET', path: url, takes: `${paging} customer subscription status collection_method`, handle: list },
  {
    method: 'POST',
    path: `${url}/create_preview`,
    takes: 'subscription customer',
    handle: ({ account, params }) =>
      preview(account, existing(account, 'subscription', text(params, 'subscription') ?? '', 'subscription')),
  },
  { method: 'GET', path: `${url}/{invoice}`, handle: (call) => named(call, 'invoice') },
  {
    method: 'POST',
    path: `${url}/{invoice}`,
    takes: 'metadata description default_payment_method auto_advance',
    handle: update,
  },
  {
    method: 'POST',
    path: `${url}/{invoice}/pay`,
    takes: 'payment_method paid_out_of_band off_session',
    handle: pay,
  },
  {
    method: 'POST',
    path: `${url}/{invoice}/finalize`,
    takes: 'auto_advance',
    handle(call) {
      const invoice = inStatus(call, 'finalized', 'draft')
      finalize(call.account, invoice)
      return invoice
    },
  },
  {
    method: 'POST',
    path: `${url}/{invoice}/void`,
    handle(call) {
      const invoice = inStatus(call, 'voided', 'open', 'uncollectible')
      voidInvoice(call.account, invoice)
      return invoice
    },
  },
  {
    method: 'POST',
    path: `${url}/{invoice}/mark_uncollectible`,
    handle(call) {
      const invoice = inStatus(call, 'marked uncollectible', 'open')
      giveUp(call.account, invoice)
      return invoice
    },
  },
  { method: 'GET', path: '/v1/invoice_payments', takes: `${paging} invoice status payment`, handle: listPayments },
  {
    method: 'GET',
    path: '/v1/invoice_payments/{invoice_payment}',
    handle: (call) => named(call, 'invoice_payment'),
  },
]

function list({ account, params }: Call): object {
  const [customer, subscription, status, collection] = ['customer', 'subscription', 'status', 'collection_method'].map(
    (name) => text(params, name),
  )
  if (customer) existing(account, 'customer', customer, 'customer')
  return page(account, 'invoice', params, url, (invoice) => {
    return (
      (!customer || invoice.customer === customer) &&
      (!subscription || invoice.parent.subscription_details.subscription === subscription) &&
      (!status || invoice.status === status) &&
      (!collection || invoice.collection_method === collection)
    )
  })
}

function inStatus(call: Call, what: string, ...statuses: Invoice['status'][]): Invoice {
  const invoice = named(call, 'invoice')
  if (statuses.includes(invoice.status)) return invoice
  throw refusal(`This invoice is ${invoice.status}: only one that is ${statuses.join(' or ')} can be ${what}.`, {
    code: 'invoice_not_editable',
  })
}

function update(call: Call): Invoice {
  const { account, params } = call
  const invoice = named(call, 'invoice')
  account.update(invoice, () => {
    invoice.metadata = merge(invoice.metadata, params)
    if ('description' in params) invoice.description = text(params, 'description') || null
    invoice.auto_advance = flag(params, 'auto_advance') ?? invoice.auto_advance
    const method = text(params, 'default_payment_method')
    if (method) ownMethod(account, invoice.customer, method, 'default_payment_method')
    if (method !== undefined) invoice.default_payment_method = method || null
  })
  return invoice
}

/** Pays an invoice at once; an attempt that fails did happen. */
function pay(call: Call): Invoice {
  const { account, params } = call
  const invoice = named(call, 'invoice')
  if (invoice.status === 'paid') throw refusal('Invoice is already paid')
  if (invoice.status === 'draft') finalize(account, invoice)
  if (invoice.status === 'void') throw refusal('This invoice can no longer be paid')
  if (flag(params, 'paid_out_of_band')) {
    settle(account, invoice, null)
    dropPayment(account, invoice, 'abandoned')
    return invoice
  }
  const method = text(params, 'payment_method')
  if (method) ownMethod(account, invoice.customer, method, 'payment_method')
  const outcome = collect(account, invoice, { method })
  if (outcome.paid) return invoice
  if (outcome.reason === null) throw sourceless()
  const payment_intent = structuredClone(intentOf(account, invoice))
  if (!outcome.action) throw declined(outcome.reason, { payment_intent }, true)
  throw declined(
    outcome.reason,
    {
      code: 'invoice_payment_intent_requires_action',
      decline_code: undefined,
      message: 'Payment for this invoice requires additional user action before it can be completed successfully.',
      payment_intent,
    },
    true,
  )
}

function listPayments({ account, params }: Call): object {
  const [invoice, status] = [text(params, 'invoice'), text(params, 'status')]
  const intent = text(hash(params, 'payment'), 'payment_intent')
  if (invoice) existing(account, 'invoice', invoice, 'invoice')
  return page(account, 'invoice_payment', params, '/v1/invoice_payments', (payment) => {
    return (
      (!invoice || payment.invoice === invoice) &&
      (!status || payment.status === status) &&
      (!intent || payment.payment.payment_intent === intent)
    )
  })
}
