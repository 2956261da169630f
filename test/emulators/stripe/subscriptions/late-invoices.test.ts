import type Stripe from 'stripe'
import { refusal } from '../local-client.ts'
import { customer, invoicesOf, local, seats, statusOf, stripe, subscribed } from './customers.ts'

type Subscribed = Awaited<ReturnType<typeof subscribed>>

/** A subscription whose renewals were declined for some days. */
async function declined(days: number): Promise<Subscribed> {
  const subscription = await subscribed()
  local.decline(subscription.owner.method, 'insufficient_funds')
  local.advance({ days })
  return subscription
}

const delinquent = async ({ owner }: Subscribed) =>
  ((await stripe.customers.retrieve(owner.id)) as Stripe.Customer).delinquent

test('past_due becomes active when its latest invoice is marked uncollectible', async () => {
  const subscription = await declined(32)
  const late = await statusOf(subscription)
  await stripe.invoices.markUncollectible((await invoicesOf(subscription))[0].id)

  expect([late, await statusOf(subscription)]).toEqual(['past_due', 'active'])
})

test('past_due becomes active when its latest invoice is void and the one before is paid', async () => {
  const subscription = await declined(32)
  await stripe.invoices.voidInvoice((await invoicesOf(subscription))[0].id)

  expect(await statusOf(subscription)).toBe('active')
})

test('past_due stays so while the newest invoice that is not void is unpaid', async () => {
  local.setStatusAfterRetries('past_due')
  const subscription = await declined(64)
  local.setStatusAfterRetries('unpaid')
  const [second, first] = await invoicesOf(subscription)
  await stripe.invoices.voidInvoice(second.id)
  const between = await statusOf(subscription)
  local.decline(subscription.owner.method, null)
  await stripe.invoices.pay(first.id)

  expect([second.status, first.status, between]).toEqual(['open', 'open', 'past_due'])
  expect(await statusOf(subscription)).toBe('active')
})

test.each(['markUncollectible', 'voidInvoice'] as const)('%s of its latest invoice activates unpaid', async (verb) => {
  const subscription = await declined(50)
  const before = await statusOf(subscription)
  await stripe.invoices[verb]((await invoicesOf(subscription))[0].id)

  expect([before, await statusOf(subscription)]).toEqual(['unpaid', 'active'])
})

test('an overdue sent invoice that is void leaves nothing that is late', async () => {
  const subscription = await subscribed({ collection_method: 'send_invoice', days_until_due: 10 }, null)
  local.advance({ days: 11 })
  const late = await statusOf(subscription)
  await stripe.invoices.voidInvoice((await invoicesOf(subscription))[0].id)

  expect([late, await statusOf(subscription)]).toEqual(['past_due', 'active'])
})

test('a customer is delinquent after a failed automatic payment, until an invoice is paid', async () => {
  const subscription = await declined(32)
  const late = await delinquent(subscription)
  local.decline(subscription.owner.method, null)
  await stripe.invoices.pay((await invoicesOf(subscription))[0].id)

  expect([late, await delinquent(subscription)]).toEqual([true, false])
})

test('a customer whose first automatic payment failed is delinquent', async () => {
  expect(await delinquent(await subscribed({}, 'pm_card_chargeCustomerFail'))).toBe(true)
})

test.each([
  ['markUncollectible', false],
  ['voidInvoice', true],
] as const)('%s leaves a customer who is late with delinquent: %p', async (verb, still) => {
  const subscription = await declined(32)
  await stripe.invoices[verb]((await invoicesOf(subscription))[0].id)

  expect(await delinquent(subscription)).toBe(still)
})

test('an invoice that becomes uncollectible without a request leaves the customer delinquent', async () => {
  local.setStatusAfterRetries('past_due')
  const subscription = await declined(32)
  await stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: 'mark_uncollectible' } })
  local.advance({ days: 32 })
  local.setStatusAfterRetries('unpaid')

  expect((await invoicesOf(subscription))[0].status).toBe('uncollectible')
  expect(await delinquent(subscription)).toBe(true)
})

test('a payment that fails on request does not make a customer delinquent', async () => {
  const owner = await customer('pm_card_chargeCustomerFail')
  const { latest_invoice } = await stripe.subscriptions.create({
    customer: owner.id,
    items: seats(1),
    payment_behavior: 'default_incomplete',
  })
  const failed = await refusal(stripe.invoices.pay(latest_invoice as string))

  expect(failed.statusCode).toBe(402)
  expect(await stripe.customers.retrieve(owner.id)).toMatchObject({ delinquent: false })
})

test('a sent invoice makes its customer delinquent when its due date has passed', async () => {
  const subscription = await subscribed({ collection_method: 'send_invoice', days_until_due: 10 }, null)
  const before = await delinquent(subscription)
  local.advance({ days: 11 })

  expect([before, await delinquent(subscription)]).toEqual([false, true])
})
