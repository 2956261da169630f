import { refusal } from '../local-client.ts'
import { confirm, customer, invoicesOf, local, seats, secretOf, statusOf, stripe, subscribed } from './customers.ts'

test('with a good card a subscription is active, and its invoice paid', async () => {
  const subscription = await subscribed()
  const [invoice] = await invoicesOf(subscription)

  expect(subscription.status).toBe('active')
  expect(invoice).toMatchObject({
    status: 'paid',
    total: 3600,
    amount_paid: 3600,
    amount_remaining: 0,
    currency: 'eur',
  })
  expect(invoice.number).toMatch(/^[A-Z0-9]{8}-0001$/)
  expect((await stripe.invoicePayments.list({ invoice: invoice.id })).data).toMatchObject([{ status: 'paid' }])
})

test('without a card a subscription is incomplete until it is paid, and then keeps that card as its default', async () => {
  const subscription = await subscribed(
    {
      payment_behavior: 'default_incomplete',
      payment_settings: { save_default_payment_method: 'on_subscription' },
    },
    null,
  )
  const declined = await confirm(await secretOf(subscription), 'pm_card_chargeDeclined')
  const before = await statusOf(subscription)
  const paid = await confirm(await secretOf(subscription), 'pm_card_visa')

  expect(subscription.status).toBe('incomplete')
  expect(declined).toMatchObject({ status: 402, body: { error: { code: 'card_declined' } } })
  expect(before).toBe('incomplete')
  expect(paid.body.status).toBe('succeeded')
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'active',
    default_payment_method: paid.body.payment_method,
  })
})

test('without a card nothing is made that would have to be paid at once', async () => {
  expect(await refusal(subscribed({}, null))).toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
    message: expect.stringContaining('no attached payment source'),
  })
})

test('a card that declines leaves it incomplete, and after 23 hours expired', async () => {
  const subscription = await subscribed({}, 'pm_card_chargeCustomerFail')
  local.advance({ hours: 24 })

  expect(subscription.status).toBe('incomplete')
  expect(await statusOf(subscription)).toBe('incomplete_expired')
  expect(await invoicesOf(subscription)).toMatchObject([{ status: 'void' }])
})

test('a card that declines leaves nothing at all when an error was preferred', async () => {
  const owner = await customer('pm_card_chargeCustomerFail')
  const error = await refusal(
    stripe.subscriptions.create({ customer: owner.id, items: seats(1), payment_behavior: 'error_if_incomplete' }),
  )

  expect(error).toMatchObject({ type: 'StripeCardError', statusCode: 402, decline_code: 'generic_decline' })
  expect((await stripe.subscriptions.list({ customer: owner.id, status: 'all' })).data).toEqual([])
  expect((await stripe.invoices.list({ customer: owner.id })).data).toEqual([])
})

test('a card whose holder is to be asked waits for the answer', async () => {
  const subscription = await subscribed({}, 'pm_card_authenticationRequired')
  const secret = await secretOf(subscription)
  const intent = await stripe.paymentIntents.retrieve(secret.split('_secret_')[0])
  const paid = await confirm(secret)

  expect([subscription.status, intent.status, paid.body.status]).toEqual(['incomplete', 'requires_action', 'succeeded'])
  expect(await statusOf(subscription)).toBe('active')
})

test.each([
  ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
  ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
  ['pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
])('%s is not even attached', async (card, code, decline_code) => {
  expect(await refusal(customer(card))).toMatchObject({ statusCode: 402, type: 'StripeCardError', code, decline_code })
})

test('a card can be saved without paying, for later payments', async () => {
  const { id } = await customer(null)
  const intent = await stripe.setupIntents.create({ customer: id })
  const saved = await stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })
  const asked = await stripe.setupIntents.create({ customer: id, payment_method: 'pm_card_authenticationRequired' })
  const asking = await stripe.setupIntents.confirm(asked.id)
  const answered = await stripe.setupIntents.confirm(asked.id)

  expect([intent.status, saved.status]).toEqual(['requires_payment_method', 'succeeded'])
  expect([asking.status, answered.status]).toEqual(['requires_action', 'succeeded'])
  expect((await stripe.paymentMethods.list({ customer: id })).data).toHaveLength(2)
})

test('the method of one customer does not pay for another', async () => {
  const [ada, bob] = [await customer(), await customer()]

  expect(
    await refusal(
      stripe.subscriptions.create({ customer: bob.id, items: seats(1), default_payment_method: ada.method }),
    ),
  ).toMatchObject({ statusCode: 400, code: 'resource_missing', param: 'default_payment_method' })
})

test('a payment is refunded in parts, and no further than it was paid', async () => {
  const { latest_invoice } = await subscribed()
  const { data } = await stripe.invoicePayments.list({ invoice: latest_invoice as string })
  const payment_intent = data[0].payment.payment_intent as string
  const part = await stripe.refunds.create({ payment_intent, amount: 600 })
  const much = await refusal(stripe.refunds.create({ payment_intent, amount: 3001 }))
  const rest = await stripe.refunds.create({ payment_intent, reason: 'duplicate' })
  const again = await refusal(stripe.refunds.create({ payment_intent }))

  expect([part.amount, rest.amount, rest.status, rest.reason]).toEqual([600, 3000, 'succeeded', 'duplicate'])
  expect([much.param, again.code]).toEqual(['amount', 'charge_already_refunded'])
})

test('a payment that is still due cannot be refunded', async () => {
  const secret = await secretOf(await subscribed({ payment_behavior: 'default_incomplete' }))

  expect(await refusal(stripe.refunds.create({ payment_intent: secret.split('_secret_')[0] }))).toMatchObject({
    statusCode: 400,
    message: expect.stringContaining('does not have a successful charge to refund'),
  })
})
