import { collectPayment, finalizeInvoice, markPaid, voidInvoice } from '../billing/collect-invoice.ts'
import { noPaymentSource } from '../billing/create-subscription.ts'
import { cancelPayment, paymentIntentOf } from '../billing/invoice-payments.ts'
import { setDelinquent } from '../billing/payment-outcome.ts'
import { markUncollectible, previewRenewal } from '../billing/renewals.ts'
import { cardDeclined } from '../billing/test-cards.ts'
import { invalidRequest } from '../http/api-error.ts'
import { listPage, listParameters } from '../http/list-pages.ts'
import { flag, hash, mergeMetadata, text } from '../http/parameter-values.ts'
import { type Call, pathObject, type Route, requireObject } from '../http/route.ts'
import type { Invoice } from '../objects/billing-objects.ts'
import { requireOwnMethod } from './customers.ts'

const url = '/v1/invoices'

export const invoices: Route[] = [
  {
    method: 'GET',
    path: url,
    parameters: `${listParameters} customer subscription status collection_method`,
    handle: list,
  },
  {
    method: 'POST',
    path: `${url}/create_preview`,
    parameters: 'subscription customer',
    handle: ({ account, params }) =>
      previewRenewal(
        account,
        requireObject(account, 'subscription', text(params, 'subscription') ?? '', 'subscription'),
      ),
  },
  { method: 'GET', path: `${url}/{invoice}`, handle: (call) => pathObject(call, 'invoice') },
  {
    method: 'POST',
    path: `${url}/{invoice}`,
    parameters: 'metadata description default_payment_method auto_advance',
    handle: update,
  },
  {
    method: 'POST',
    path: `${url}/{invoice}/pay`,
    parameters: 'payment_method paid_out_of_band off_session',
    handle: pay,
  },
  {
    method: 'POST',
    path: `${url}/{invoice}/finalize`,
    parameters: 'auto_advance',
    handle(call) {
      const invoice = requireStatus(call, 'finalized', 'draft')
      finalizeInvoice(call.account, invoice)
      return invoice
    },
  },
  {
    method: 'POST',
    path: `${url}/{invoice}/void`,
    handle(call) {
      const invoice = requireStatus(call, 'voided', 'open', 'uncollectible')
      voidInvoice(call.account, invoice)
      return invoice
    },
  },
  {
    method: 'POST',
    path: `${url}/{invoice}/mark_uncollectible`,
    handle(call) {
      const invoice = requireStatus(call, 'marked uncollectible', 'open')
      markUncollectible(call.account, invoice)
      setDelinquent(call.account, invoice, false)
      return invoice
    },
  },
  {
    method: 'GET',
    path: '/v1/invoice_payments',
    parameters: `${listParameters} invoice status payment`,
    handle: listPayments,
  },
  {
    method: 'GET',
    path: '/v1/invoice_payments/{invoice_payment}',
    handle: (call) => pathObject(call, 'invoice_payment'),
  },
]

function list({ account, params }: Call): object {
  const [customer, subscription, status, collection] = ['customer', 'subscription', 'status', 'collection_method'].map(
    (name) => text(params, name),
  )
  if (customer) requireObject(account, 'customer', customer, 'customer')
  return listPage(account, 'invoice', params, url, (invoice) => {
    return (
      (!customer || invoice.customer === customer) &&
      (!subscription || invoice.parent.subscription_details.subscription === subscription) &&
      (!status || invoice.status === status) &&
      (!collection || invoice.collection_method === collection)
    )
  })
}

function requireStatus(call: Call, what: string, ...statuses: Invoice['status'][]): Invoice {
  const invoice = pathObject(call, 'invoice')
  if (statuses.includes(invoice.status)) return invoice
  throw invalidRequest(`This invoice is ${invoice.status}: only one that is ${statuses.join(' or ')} can be ${what}.`, {
    code: 'invoice_not_editable',
  })
}

function update(call: Call): Invoice {
  const { account, params } = call
  const invoice = pathObject(call, 'invoice')
  account.update(invoice, () => {
    invoice.metadata = mergeMetadata(invoice.metadata, params)
    if ('description' in params) invoice.description = text(params, 'description') || null
    invoice.auto_advance = flag(params, 'auto_advance') ?? invoice.auto_advance
    const method = text(params, 'default_payment_method')
    if (method) requireOwnMethod(account, invoice.customer, method, 'default_payment_method')
    if (method !== undefined) invoice.default_payment_method = method || null
  })
  return invoice
}

/** Pays an invoice at once; an attempt that fails did happen. */
function pay(call: Call): Invoice {
  const { account, params } = call
  const invoice = pathObject(call, 'invoice')
  if (invoice.status === 'paid') throw invalidRequest('Invoice is already paid')
  if (invoice.status === 'draft') finalizeInvoice(account, invoice)
  if (invoice.status === 'void') throw invalidRequest('This invoice can no longer be paid')
  if (flag(params, 'paid_out_of_band')) {
    markPaid(account, invoice, null)
    cancelPayment(account, invoice, 'abandoned')
    return invoice
  }
  const method = text(params, 'payment_method')
  if (method) requireOwnMethod(account, invoice.customer, method, 'payment_method')
  const outcome = collectPayment(account, invoice, { method, ordered: true })
  if (outcome.paid) return invoice
  if (outcome.reason === null) throw noPaymentSource()
  const payment_intent = structuredClone(paymentIntentOf(account, invoice))
  if (!outcome.action) throw cardDeclined(outcome.reason, { payment_intent }, true)
  throw cardDeclined(
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
  if (invoice) requireObject(account, 'invoice', invoice, 'invoice')
  return listPage(account, 'invoice_payment', params, '/v1/invoice_payments', (payment) => {
    return (
      (!invoice || payment.invoice === invoice) &&
      (!status || payment.status === status) &&
      (!intent || payment.payment.payment_intent === intent)
    )
  })
}
