import type Stripe from 'stripe'
import { refusal } from '../local-client.ts'
import { invoicesOf, local, price, seats, stripe, subscribed } from './customers.ts'

test('more seats in the middle of a period cost what is left of it, on the next invoice', async () => {
  const { id, items } = await subscribed()
  local.advance({ days: 15 })
  await stripe.subscriptions.update(id, { items: [{ id: items.data[0].id, quantity: 5 }] })
  const before = await invoicesOf({ id })
  local.advance({ days: 17 })
  const [invoice] = await invoicesOf({ id })
  const [unused, remaining, whole] = invoice.lines.data

  expect(before).toHaveLength(1)
  expect(unused.amount).toBeLessThan(0)
  expect(remaining.amount).toBeGreaterThan(-unused.amount)
  expect(remaining.parent?.subscription_item_details?.proration).toBe(true)
  expect(whole.amount).toBe(6000)
  expect(invoice.total).toBe(6000 + unused.amount + remaining.amount)
})

test('more seats cost it on an invoice now, or nothing, where that was asked', async () => {
  const [now, never] = [await subscribed(), await subscribed()]
  const change = ({ items }: Stripe.Subscription) => [{ id: items.data[0].id, quantity: 5 }]
  local.advance({ days: 15 })
  await stripe.subscriptions.update(now.id, { items: change(now), proration_behavior: 'always_invoice' })
  await stripe.subscriptions.update(never.id, { items: change(never), proration_behavior: 'none' })
  const [invoice] = await invoicesOf(now)
  local.advance({ days: 17 })
  const [renewal] = await invoicesOf(never)

  expect(invoice).toMatchObject({ billing_reason: 'subscription_update', status: 'paid' })
  expect(invoice.total).toBeGreaterThan(1000)
  expect(invoice.total).toBeLessThan(1400)
  expect(renewal.total).toBe(6000)
})

test('modules come and go as items', async () => {
  const { id, items } = await subscribed({ items: [...seats(1), { price: price('module_banking_monthly') }] })
  const banking = items.data[1]
  const changed = await stripe.subscriptions.update(id, {
    items: [{ id: banking.id, deleted: true }, { price: price('module_planning_monthly') }],
  })

  expect(changed.items.data.map((item) => item.price.lookup_key)).toEqual(['seat_monthly', 'module_planning_monthly'])
  expect(await refusal(stripe.subscriptions.update(id, { items: [{ price: price('seat_monthly') }] }))).toMatchObject({
    statusCode: 400,
  })
  expect(await refusal(stripe.subscriptions.update(id, { items: [{ id: 'si_none', quantity: 2 }] }))).toMatchObject({
    code: 'resource_missing',
    param: 'items[0][id]',
  })
})

test('an update that is not paid for waits, and changes nothing until it is', async () => {
  const { id, items, owner } = await subscribed()
  local.decline(owner.method, 'insufficient_funds')
  const change = { items: [{ id: items.data[0].id, quantity: 9 }] }
  const waiting = await stripe.subscriptions.update(id, {
    ...change,
    payment_behavior: 'pending_if_incomplete',
    proration_behavior: 'always_invoice',
  })
  local.decline(owner.method, null)
  await stripe.invoices.pay(waiting.latest_invoice as string)
  const paid = await stripe.subscriptions.retrieve(id)

  expect(waiting).toMatchObject({ status: 'active', items: { data: [{ quantity: 3 }] } })
  expect(waiting.pending_update?.subscription_items?.[0].quantity).toBe(9)
  expect(paid).toMatchObject({ pending_update: null, items: { data: [{ quantity: 9 }] } })
})

test('of an incomplete one the items cannot be changed', async () => {
  const { id, items } = await subscribed({ payment_behavior: 'default_incomplete' })

  expect(
    await refusal(stripe.subscriptions.update(id, { items: [{ id: items.data[0].id, quantity: 2 }] })),
  ).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' })
})

test('a change from months to years begins a year at once, less what was paid', async () => {
  const { id, items } = await subscribed()
  local.advance({ days: 15 })
  const change = { items: [{ id: items.data[0].id, price: price('seat_yearly') }] }
  const { items: changed } = await stripe.subscriptions.update(id, change)
  const [invoice] = await invoicesOf({ id })
  const [item] = changed.data

  expect(invoice.status).toBe('paid')
  expect(invoice.lines.data.map(({ amount }) => amount)).toEqual([expect.any(Number), 36_000])
  expect(invoice.total).toBeLessThan(36_000)
  expect(item.current_period_end - item.current_period_start).toBeGreaterThanOrEqual(365 * 86_400)
})

test('a proration credit lowers later invoices', async () => {
  const { id, items, owner } = await subscribed({ items: [{ price: price('seat_yearly'), quantity: 10 }] })
  await stripe.subscriptions.update(id, {
    items: [{ id: items.data[0].id, quantity: 1 }],
    proration_behavior: 'always_invoice',
  })
  const { balance } = (await stripe.customers.retrieve(owner.id)) as Stripe.Customer
  local.advance({ days: 366 })
  const [renewal] = await invoicesOf({ id })

  expect(balance).toBeLessThan(-100_000)
  expect(renewal).toMatchObject({ total: 12_000, amount_due: 0, status: 'paid', starting_balance: balance })
  expect(await stripe.customers.retrieve(owner.id)).toMatchObject({ balance: balance + 12_000 })
})
