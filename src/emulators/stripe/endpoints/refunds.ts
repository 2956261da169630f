import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { listPage, listParameters } from '../http/list-pages.ts'
import { mergeMetadata, number, text, textOrNull } from '../http/parameter-values.ts'
import { pathObject, type Route, requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { PaymentIntent, Refund } from '../objects/payment-objects.ts'

const url = '/v1/refunds'

/** Refunds of payments by card, which succeed at once. */
export const refunds: Route[] = [
  {
    method: 'POST',
    path: url,
    parameters: 'payment_intent amount reason metadata',
    handle: ({ account, params }) => create(account, params),
  },
  { method: 'GET', path: `${url}/{refund}`, handle: (call) => pathObject(call, 'refund') },
  {
    method: 'GET',
    path: url,
    parameters: `${listParameters} payment_intent`,
    handle({ account, params }) {
      const intent = text(params, 'payment_intent')
      return listPage(account, 'refund', params, url, ({ payment_intent }) => !intent || payment_intent === intent)
    },
  },
]

/** Refunds an amount of a payment; without an amount, all that is not refunded yet. */
function create(account: Account, params: Params): Refund {
  const id = text(params, 'payment_intent')
  if (!id) throw invalidRequest('The local Stripe refunds payment intents alone.', { param: 'payment_intent' })
  const intent = requireObject(account, 'payment_intent', id, 'payment_intent')
  if (intent.status !== 'succeeded') {
    throw invalidRequest(`This PaymentIntent (${id}) does not have a successful charge to refund.`)
  }
  const left = intent.amount_received - refundedAmount(account, intent)
  if (left === 0) {
    throw invalidRequest(`Charge ${intent.latest_charge} has already been refunded.`, {
      code: 'charge_already_refunded',
    })
  }
  const amount = number(params, 'amount') ?? left
  if (amount > left || amount <= 0) {
    throw invalidRequest(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, {
      param: 'amount',
    })
  }
  return account.add(newRefund(account, intent, amount, params), 'refund.created')
}

function refundedAmount(account: Account, { id }: PaymentIntent): number {
  const own = [...account.store.all('refund')].filter(({ payment_intent }) => payment_intent === id)
  return own.reduce((sum, { amount }) => sum + amount, 0)
}

function newRefund(account: Account, intent: PaymentIntent, amount: number, params: Params): Refund {
  return {
    id: account.ids.next('re_'),
    object: 'refund',
    amount,
    balance_transaction: null,
    charge: intent.latest_charge,
    created: account.now(),
    currency: intent.currency,
    customer: intent.customer,
    customer_account: null,
    metadata: mergeMetadata({}, params),
    payment_intent: intent.id,
    payment_method: intent.payment_method,
    reason: textOrNull(params, 'reason'),
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  }
}
