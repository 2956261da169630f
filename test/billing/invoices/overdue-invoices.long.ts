import { payingCustomer } from '../../support/billing/billing.ts'
import { confirmIntent, dashboard, type Subscribed, subscribed } from '../../support/billing/stripe.ts'
import { syncNow } from '../../support/billing/sync-now.ts'
import { openWorld } from '../../support/world.ts'

const { stripe } = await openWorld()

/** A subscription whose renewals have been declined for a number of days. */
async function overdue(days: number): Promise<Subscribed> {
  const subscriber = await subscribed({ seats: 3 })
  const { externalId } = (await subscriber.api.get(subscriber.card)).body
  stripe.decline(externalId, 'insufficient_funds')
  stripe.advance({ days })
  await syncNow(subscriber.customer)
  return subscriber
}

const invoicesOf = async ({ api, path }: Subscribed) => (await api.get(`${path}/invoices`)).body.member
const statusesOf = async (subscriber: Subscribed) =>
  (await invoicesOf(subscriber)).map(({ status }: { status: string }) => status)

test.each([
  [32, 'past_due', ['open', 'paid']],
  [120, 'unpaid', ['draft', 'draft', 'open', 'paid']],
])('after %i days without payment another card pays all open invoices at once', async (days, status, before) => {
  const subscriber = await overdue(days)
  expect((await subscriber.api.get(subscriber.path)).body.status).toBe(status)
  expect((await statusesOf(subscriber)).slice(-before.length)).toEqual(before)
  const { body: card } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_mastercard' })
  const answer = await subscriber.api.patch(subscriber.path, { paymentMethod: card['@id'] })
  expect([answer.status, answer.body.status, answer.body.paymentMethod]).toEqual([200, 'active', card['@id']])
  await syncNow(subscriber.customer)
  expect(new Set(await statusesOf(subscriber))).toEqual(new Set(['paid']))
  stripe.advance({ days: 31 })
  await syncNow(subscriber.customer)
  expect((await subscriber.api.get(subscriber.path)).body.status).toBe('active')
})

test('a card that is declined for an open invoice is a 402, and the subscription keeps its card', async () => {
  const subscriber = await overdue(32)
  const { body: card } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_chargeCustomerFail' })
  const { status, body } = await subscriber.api.patch(subscriber.path, { paymentMethod: card['@id'], seats: 9 })
  expect([status, body.detail]).toEqual([402, expect.stringMatching(/declined/)])
  await syncNow(subscriber.customer)
  expect((await subscriber.api.get(subscriber.path)).body).toMatchObject({
    paymentMethod: subscriber.card,
    status: 'past_due',
    seats: 3,
  })
})

test.each([
  [32, 'past_due'],
  [120, 'unpaid'],
])('after %i days the open invoice can be paid in the browser and on the page of Stripe', async (days, status) => {
  const subscriber = await overdue(days)
  const { body } = await subscriber.api.get(subscriber.path)
  expect(body).toMatchObject({ status, confirmationSecret: expect.stringMatching(/^pi_\w+_secret_/) })
  const [open] = (await invoicesOf(subscriber)).filter((one: { status: string }) => one.status === 'open')
  expect(open).toMatchObject({ hostedInvoiceUrl: body.hostedInvoiceUrl, pay: `${open['@id']}/pay` })
  expect((await fetch(body.hostedInvoiceUrl)).status).toBe(200)
  expect((await subscriber.api.get(open['@id'])).body.confirmationSecret).toBe(body.confirmationSecret)

  expect((await confirmIntent(body.confirmationSecret, 'pm_card_visa')).body.status).toBe('succeeded')
  await syncNow(subscriber.customer)
  const { body: paid } = await subscriber.api.get(open['@id'])
  expect(paid).toMatchObject({ status: 'paid', hostedInvoiceUrl: null, confirmationSecret: null })
  expect(paid).not.toHaveProperty('pay')
})

test('a renewal for which the bank requires consent is confirmed with the secret', async () => {
  const subscriber = await payingCustomer('pm_card_authenticationRequired')
  const { body: subscription } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card })
  await confirmIntent(subscription.confirmationSecret)
  stripe.advance({ days: 32 })
  const { customer } = await dashboard.subscriptions.retrieve(subscription.externalId)
  await syncNow(`${customer}`)
  const { body } = await subscriber.api.get(subscription['@id'])
  expect(body).toMatchObject({ status: 'past_due', confirmationSecret: expect.any(String) })
  expect((await confirmIntent(body.confirmationSecret)).body.status).toBe('succeeded')
  await syncNow(`${customer}`)
  expect((await subscriber.api.get(subscription['@id'])).body).toMatchObject({
    status: 'active',
    confirmationSecret: null,
  })
})

describe('POST /invoices/{id}/pay', () => {
  test('pays with the card of the subscription or another, and returns the reason of a decline', async () => {
    const subscriber = await overdue(32)
    const [open] = await invoicesOf(subscriber)
    expect((await subscriber.api.post(open.pay)).status).toBe(402)
    const { body: card } = await subscriber.api.post('/payment-methods', { externalId: 'pm_card_amex' })
    const paid = await subscriber.api.post(open.pay, { paymentMethod: card['@id'] })
    expect([paid.status, paid.body]).toEqual([
      201,
      expect.objectContaining({ status: 'paid', paidAt: expect.any(String) }),
    ])
    expect((await subscriber.api.post(`${open['@id']}/pay`)).status).toBe(200)
    await syncNow(subscriber.customer)
    expect((await subscriber.api.get(subscriber.path)).body.status).toBe('active')
  })

  test('returns the secret when the bank requires consent, also for a repeated Idempotency-Key', async () => {
    const subscriber = await overdue(32)
    const [open] = await invoicesOf(subscriber)
    const { body: card } = await subscriber.api.post('/payment-methods', {
      externalId: 'pm_card_authenticationRequired',
    })
    const pay = () => subscriber.api.post(open.pay, { paymentMethod: card['@id'] }).set('Idempotency-Key', 'pay')
    const [response, again] = [await pay(), await pay()]
    expect([response.status, response.body.status]).toEqual([200, 'open'])
    expect(response.body.confirmationSecret).toMatch(/^pi_\w+_secret_/)
    expect(again.body).toEqual(response.body)
    expect((await confirmIntent(response.body.confirmationSecret)).body.status).toBe('succeeded')
  })

  test('refuses a void invoice with 409', async () => {
    const subscriber = await overdue(32)
    const [open] = await invoicesOf(subscriber)
    const { data } = await dashboard.invoices.list({ customer: subscriber.customer, status: 'open' })
    await dashboard.invoices.voidInvoice(data[0].id)
    expect((await subscriber.api.post(open.pay)).status).toBe(409)
    await syncNow(subscriber.customer)
    expect((await subscriber.api.post(`${open['@id']}/pay`)).status).toBe(409)
  })
})
