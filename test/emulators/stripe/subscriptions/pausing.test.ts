import type Stripe from 'stripe'
import { refusal } from '../local-client.ts'
import { invoicesOf, local, renew, statusOf, stripe, subscribed } from './customers.ts'

const eventsOf = ({ id }: { id: string }, since: number) =>
  local.stripe.events
    .slice(since)
    .filter(({ data }) => data.object.id === id)
    .map(({ type }) => type)

const pendingLines = async (subscription: { id: string }) => {
  await stripe.subscriptions.resume(subscription.id)
  const [{ lines }] = await invoicesOf(subscription)
  return lines.data.filter(({ parent }) => parent?.subscription_item_details?.proration)
}

test('a pause ends the period now, says why, and emits paused and updated', async () => {
  const subscription = await subscribed()
  local.advance({ days: 10 })
  const before = local.stripe.events.length
  const paused = await stripe.subscriptions.pause(subscription.id, { type: 'subscription' })

  expect(paused).toMatchObject({
    status: 'paused',
    status_details: {
      paused: { subscription: { type: 'pause_requested' }, transitioned_at: expect.any(Number), type: 'subscription' },
    },
  })
  const [{ current_period_end: end }] = paused.items.data
  expect(paused.status_details?.paused.transitioned_at).toBe(end)
  expect(Math.abs(end - local.now())).toBeLessThan(10)
  expect(eventsOf(subscription, before).sort()).toEqual([
    'customer.subscription.paused',
    'customer.subscription.updated',
  ])
})

test('a trial that ended without a payment method is paused for that reason', async () => {
  const subscription = await subscribed(
    { trial_period_days: 1, trial_settings: { end_behavior: { missing_payment_method: 'pause' } } },
    null,
  )
  local.advance({ days: 2 })
  const { status_details } = await stripe.subscriptions.retrieve(subscription.id)

  expect(status_details?.paused.subscription.type).toBe('trial_end_without_payment_method')
})

test('a paused subscription makes no invoices, has no preview, and takes no schedule', async () => {
  const subscription = await subscribed()
  await stripe.subscriptions.pause(subscription.id)
  local.advance({ days: 70 })

  expect(await invoicesOf(subscription)).toHaveLength(1)
  expect(await statusOf(subscription)).toBe('paused')
  expect(await refusal(stripe.invoices.createPreview({ subscription: subscription.id }))).toMatchObject({
    statusCode: 404,
    code: 'invoice_upcoming_none',
  })
  expect(await refusal(stripe.subscriptionSchedules.create({ from_subscription: subscription.id }))).toMatchObject({
    statusCode: 400,
    message: expect.stringContaining('paused'),
  })
})

test('by default the unused time is a credit on the next invoice', async () => {
  const subscription = await subscribed()
  local.advance({ days: 10 })
  await stripe.subscriptions.pause(subscription.id)
  const before = await invoicesOf(subscription)
  const [credit, ...others] = await pendingLines(subscription)

  expect(before).toHaveLength(1)
  expect(others).toEqual([])
  expect(credit.amount).toBeLessThan(-2300)
  expect(credit.amount).toBeGreaterThan(-2500)
})

test('`bill_for` gives no credit, or one for the whole period of each item', async () => {
  const [none, whole] = [await subscribed(), await subscribed()]
  local.advance({ days: 10 })
  const from = (type: string) => ({
    bill_for: { unused_time_from: { type }, outstanding_usage_through: { type: 'now' } },
  })
  await stripe.subscriptions.pause(none.id, from('none'))
  await stripe.subscriptions.pause(whole.id, from('item_current_period_start'))

  expect(await pendingLines(none)).toEqual([])
  expect(await pendingLines(whole)).toMatchObject([{ amount: -3600 }])
})

test('`invoicing_behavior: invoice` invoices the credit at once', async () => {
  const subscription = await subscribed()
  local.advance({ days: 10 })
  await stripe.subscriptions.pause(subscription.id, { invoicing_behavior: 'invoice' })
  const [invoice] = await invoicesOf(subscription)
  const { balance } = (await stripe.customers.retrieve(subscription.owner.id)) as Stripe.Customer

  expect(invoice).toMatchObject({ status: 'paid', amount_due: 0, billing_reason: 'subscription_update' })
  expect(balance).toBe(invoice.total)
  expect(balance).toBeLessThan(-2300)
  expect(await statusOf(subscription)).toBe('paused')
})

test('an open invoice of a paused subscription is collected and leaves it paused', async () => {
  const subscription = await subscribed()
  local.decline(subscription.owner.method, 'insufficient_funds')
  renew(subscription)
  const late = await statusOf(subscription)
  await stripe.subscriptions.pause(subscription.id)
  local.advance({ days: 4 })
  const [open] = await invoicesOf(subscription)
  local.decline(subscription.owner.method, null)
  local.advance({ days: 6 })
  const [paid] = await invoicesOf(subscription)

  expect([late, open.status, open.attempt_count, paid.status]).toEqual(['past_due', 'open', 2, 'paid'])
  expect(await statusOf(subscription)).toBe('paused')
})

const refusals: [string, () => Promise<Stripe.Subscription>][] = [
  ['trialing', () => subscribed({ trial_period_days: 9 })],
  ['incomplete', () => subscribed({ payment_behavior: 'default_incomplete' })],
  ['classic', () => subscribed({ billing_mode: { type: 'classic' } })],
  ['send_invoice', () => subscribed({ collection_method: 'send_invoice', days_until_due: 9 })],
  ['canceled', async () => stripe.subscriptions.cancel((await subscribed()).id)],
  ['paused', async () => stripe.subscriptions.pause((await subscribed()).id)],
  [
    'sub_sched_',
    async () => {
      const subscription = await subscribed()
      await stripe.subscriptionSchedules.create({ from_subscription: subscription.id })
      return subscription
    },
  ],
]

test.each(refusals)('a pause is refused when it finds %s', async (word, made) => {
  expect(await refusal(stripe.subscriptions.pause((await made()).id))).toMatchObject({
    statusCode: 400,
    type: 'StripeInvalidRequestError',
    message: expect.stringContaining(word),
  })
})

test('a pause of a kind that Stripe does not publish is refused', async () => {
  const { id } = await subscribed()

  expect(await refusal(stripe.subscriptions.pause(id, { type: 'holiday' }))).toMatchObject({ param: 'type' })
  expect(await statusOf({ id })).toBe('active')
})
