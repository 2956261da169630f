import type Stripe from 'stripe'
import { refusal } from '../local-client.ts'
import { invoicesOf, local, statusOf, stripe, subscribed } from './customers.ts'

const hour = 3600
const success = { payment_behavior: 'resume_on_payment_success' }
const unchanged = { billing_cycle_anchor: { type: 'unchanged' } }

/** A subscription that was paused ten days into its month, without a credit. */
async function paused(terms: Partial<Stripe.SubscriptionCreateParams> = {}, card?: string) {
  const subscription = await subscribed(terms, card)
  local.advance({ days: 10 })
  await stripe.subscriptions.pause(subscription.id, { bill_for: { unused_time_from: { type: 'none' } } })
  local.advance({ days: 3 })
  return subscription
}

const resumptionOf = async (subscription: { id: string }) => (await invoicesOf(subscription))[0]
const retrieved = ({ id }: { id: string }) => stripe.subscriptions.retrieve(id)

test('by default a resumption makes its invoice and attempts no payment', async () => {
  const subscription = await paused()
  const resumed = await stripe.subscriptions.resume(subscription.id)
  const invoice = await resumptionOf(subscription)

  expect(resumed).toMatchObject({ status: 'paused', latest_invoice: invoice.id })
  expect(invoice).toMatchObject({ status: 'open', attempted: false, auto_advance: false, total: 3600 })
  expect((resumed.pending_update?.expires_at ?? 0) - invoice.created).toBe(23 * hour)
})

test('a paid resumption invoice begins a new period and emits resumed', async () => {
  const subscription = await paused()
  await stripe.subscriptions.resume(subscription.id)
  const before = local.stripe.events.length
  await stripe.invoices.pay((await resumptionOf(subscription)).id)
  const active = await retrieved(subscription)
  const [{ current_period_start, current_period_end }] = active.items.data
  const types = local.stripe.events
    .slice(before)
    .filter(({ data }) => data.object.id === subscription.id)
    .map(({ type }) => type)

  expect(active).toMatchObject({ status: 'active', pending_update: null, billing_cycle_anchor: current_period_start })
  expect(active).not.toHaveProperty('status_details')
  expect(current_period_end).toBeGreaterThan(local.now() + 27 * 24 * hour)
  expect(types).toContain('customer.subscription.resumed')
  expect(types).toContain('customer.subscription.updated')
})

test('`resume_on_payment_success` charges in the request', async () => {
  const subscription = await paused()

  expect((await stripe.subscriptions.resume(subscription.id, success)).status).toBe('active')
  expect(await resumptionOf(subscription)).toMatchObject({ status: 'paid', amount_paid: 3600 })
})

test('`resume_on_payment_success` stays paused after a failed payment, and is retried', async () => {
  const subscription = await paused()
  local.decline(subscription.owner.method, 'insufficient_funds')
  const resumed = await stripe.subscriptions.resume(subscription.id, success)
  const failed = await resumptionOf(subscription)
  local.decline(subscription.owner.method, null)
  local.advance({ days: 4 })

  expect([resumed.status, failed.status, failed.attempt_count]).toEqual(['paused', 'open', 1])
  expect(await statusOf(subscription)).toBe('active')
})

test('a resumption invoice that is marked uncollectible resumes the subscription', async () => {
  const subscription = await paused()
  await stripe.subscriptions.resume(subscription.id)
  await stripe.invoices.markUncollectible((await resumptionOf(subscription)).id)

  expect(await retrieved(subscription)).toMatchObject({ status: 'active', pending_update: null })
})

test('a void resumption invoice leaves the subscription paused, and it can be resumed again', async () => {
  const subscription = await paused()
  await stripe.subscriptions.resume(subscription.id)
  const twice = await refusal(stripe.subscriptions.resume(subscription.id))
  await stripe.invoices.voidInvoice((await resumptionOf(subscription)).id)

  expect(twice).toMatchObject({ statusCode: 400, message: expect.stringContaining('resumption invoice') })
  expect(await retrieved(subscription)).toMatchObject({ status: 'paused', pending_update: null })
  expect((await stripe.subscriptions.resume(subscription.id, success)).status).toBe('active')
})

test('a resumption invoice without an attempt is void after 23 hours', async () => {
  const subscription = await paused()
  await stripe.subscriptions.resume(subscription.id)
  local.advance({ hours: 22 })
  const before = await resumptionOf(subscription)
  local.advance({ hours: 1.1 })

  expect(before.status).toBe('open')
  expect((await resumptionOf(subscription)).status).toBe('void')
  expect(await retrieved(subscription)).toMatchObject({ status: 'paused', pending_update: null })
})

test('a failed payment of the default resumption makes it past_due, without retries', async () => {
  const subscription = await paused()
  await stripe.subscriptions.resume(subscription.id)
  const { id } = await resumptionOf(subscription)
  local.decline(subscription.owner.method, 'insufficient_funds')
  await refusal(stripe.invoices.pay(id))
  const late = await statusOf(subscription)
  local.decline(subscription.owner.method, null)
  local.advance({ days: 20 })
  const after = await stripe.invoices.retrieve(id)

  expect(late).toBe('past_due')
  expect(after).toMatchObject({ status: 'open', attempt_count: 1, next_payment_attempt: null })
  expect(await statusOf(subscription)).toBe('past_due')
})

test('with the anchor unchanged the period around now begins, and its rest is prorated on the next invoice', async () => {
  const subscription = await paused()
  const resumed = await stripe.subscriptions.resume(subscription.id, unchanged)
  const [{ current_period_start, current_period_end }] = resumed.items.data
  const [, ...before] = await invoicesOf(subscription)
  local.advance({ days: 32 })
  const { lines } = await resumptionOf(subscription)

  expect(resumed).toMatchObject({ status: 'active', billing_cycle_anchor: subscription.billing_cycle_anchor })
  expect([current_period_start, current_period_end]).toEqual([
    subscription.items.data[0].current_period_start,
    subscription.items.data[0].current_period_end,
  ])
  expect(before).toEqual([])
  expect(lines.data.map(({ amount }) => amount)).toEqual([expect.any(Number), 3600])
  expect(lines.data[0].amount).toBeGreaterThan(1900)
  expect(lines.data[0].amount).toBeLessThan(2200)
})

test('`proration_behavior` makes no proration, or invoices it before the subscription resumes', async () => {
  const [none, now] = [await paused(), await paused()]
  const free = await stripe.subscriptions.resume(none.id, { ...unchanged, proration_behavior: 'none' })
  const billed = await stripe.subscriptions.resume(now.id, { ...unchanged, proration_behavior: 'always_invoice' })
  const invoice = await resumptionOf(now)
  await stripe.invoices.pay(invoice.id)

  expect([free.status, billed.status, await statusOf(now)]).toEqual(['active', 'paused', 'active'])
  expect(await invoicesOf(none)).toHaveLength(1)
  expect(invoice.total).toBeGreaterThan(1900)
  expect(invoice.total).toBeLessThan(2400)
})

test('`proration_date` prorates as of another time', async () => {
  const subscription = await paused()
  const [{ current_period_start: proration_date }] = subscription.items.data
  await stripe.subscriptions.resume(subscription.id, {
    ...unchanged,
    proration_behavior: 'always_invoice',
    proration_date,
  })

  expect((await resumptionOf(subscription)).total).toBe(3600)
})

test('a credit that covers the resumption invoice resumes the subscription at once', async () => {
  const subscription = await subscribed()
  await stripe.subscriptions.pause(subscription.id, {
    bill_for: { unused_time_from: { type: 'item_current_period_start' } },
  })
  const resumed = await stripe.subscriptions.resume(subscription.id)

  expect(resumed.status).toBe('active')
  expect(await resumptionOf(subscription)).toMatchObject({ status: 'paid', total: 0 })
})

test('only a paused subscription that is charged automatically can be resumed', async () => {
  const [active, sent] = [await subscribed(), await paused()]
  await stripe.subscriptions.update(sent.id, { collection_method: 'send_invoice', days_until_due: 9 })

  expect(await refusal(stripe.subscriptions.resume(active.id))).toMatchObject({ statusCode: 400 })
  expect(await refusal(stripe.subscriptions.resume(sent.id))).toMatchObject({
    statusCode: 400,
    message: expect.stringContaining('charge_automatically'),
  })
})

test('`resume_on_payment_success` needs a payment method and the flexible billing mode', async () => {
  const ends = { trial_period_days: 1, trial_settings: { end_behavior: { missing_payment_method: 'pause' } } } as const
  const poor = await subscribed(ends, null)
  const classic = await subscribed({ ...ends, billing_mode: { type: 'classic' } }, null)
  local.advance({ days: 2 })

  expect(await refusal(stripe.subscriptions.resume(poor.id, success))).toMatchObject({ code: 'resource_missing' })
  expect(await refusal(stripe.subscriptions.resume(classic.id, success))).toMatchObject({ param: 'payment_behavior' })
  expect((await stripe.subscriptions.resume(classic.id)).status).toBe('paused')
  expect(await invoicesOf(poor)).toHaveLength(1)
})
