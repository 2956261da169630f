import { payingCustomer } from '../../support/billing/billing.ts'
import {
  customerIdOf,
  dashboard,
  modulesOf,
  type Subscribed,
  subscribed,
  violationsOf,
} from '../../support/billing/stripe.ts'
import { syncNow } from '../../support/billing/sync-now.ts'
import { openWorld } from '../../support/world.ts'

const { stripe } = await openWorld()

async function priceOf(lookup_key: string) {
  const { data } = await dashboard.prices.list({ lookup_keys: [lookup_key] })
  return data[0]
}

/** Raises a price as Stripe recommends: a new price takes over its lookup key. */
async function raise(lookup_key: string): Promise<void> {
  const { id, currency, product, unit_amount, recurring } = await priceOf(lookup_key)
  await dashboard.prices.create({
    currency,
    product: product as string,
    unit_amount: (unit_amount as number) + 100,
    recurring: { interval: recurring?.interval as 'month' },
    lookup_key,
    transfer_lookup_key: true,
  })
  await dashboard.prices.update(id, { active: false })
}

const linesAt = async ({ externalId }: Pick<Subscribed, 'externalId'>) =>
  (await dashboard.subscriptions.retrieve(externalId)).items.data.map(({ price, quantity }) => [
    price.unit_amount,
    quantity,
  ])

/** A subscription from the dashboard of Stripe, without metadata. */
async function made(keys: string[], quantity = 4) {
  const subscriber = await payingCustomer()
  const customer = await customerIdOf(subscriber)
  const prices = await Promise.all(keys.map(priceOf))
  const items = prices.map(({ id }, place) => ({ price: id, quantity: place === 0 ? quantity : 1 }))
  const { id: externalId } = await dashboard.subscriptions.create({ customer, items })
  await syncNow(customer)
  const path = (await subscriber.api.get('/subscriptions')).body.member[0]['@id']
  return { ...subscriber, customer, externalId, path }
}

test('the items of a subscription from the dashboard are recognized after its prices were raised', async () => {
  const subscriber = await made(['seat_monthly', 'module_planning_monthly'])
  await raise('seat_monthly')
  await raise('module_planning_monthly')
  await syncNow(subscriber.customer)
  expect((await subscriber.api.get(subscriber.path)).body).toMatchObject({
    seats: 4,
    modules: ['planning'],
    type: 'monthly',
  })
  const { status, body } = await subscriber.api.patch(subscriber.path, { seats: 9, modules: ['planning', 'banking'] })
  expect([status, body.seats, body.modules]).toEqual([200, 9, ['planning', 'banking']])
  expect(await linesAt(subscriber)).toEqual([
    [1200, 9],
    [900, 1],
    [1500, 1],
  ])
})

test('two items of seats, at the old and at the new price, are added up and merged', async () => {
  const subscriber = await subscribed({ seats: 4, modules: ['banking'] })
  await raise('seat_monthly')
  const more = { price: (await priceOf('seat_monthly')).id, quantity: 3 }
  await dashboard.subscriptions.update(subscriber.externalId, { items: [more] })
  await syncNow(subscriber.customer)
  expect((await subscriber.api.get(subscriber.path)).body.seats).toBe(7)
  expect((await subscriber.api.patch(subscriber.path, { modules: [] })).body).toMatchObject({ seats: 7, modules: [] })
  expect((await linesAt(subscriber)).map(([, quantity]) => quantity)).toEqual([7])
})

test('an item outside the catalogue is shown in products and never changed', async () => {
  const subscriber = await subscribed({ seats: 4, modules: ['banking'] })
  const support = await dashboard.prices.create({
    currency: 'eur',
    product_data: { name: 'Premium support' },
    unit_amount: 5000,
    recurring: { interval: 'month' },
    lookup_key: 'premium_support_monthly',
  })
  await dashboard.subscriptions.update(subscriber.externalId, {
    items: [{ price: support.id, quantity: 2, metadata: { name: 'support' } }],
  })
  await syncNow(subscriber.customer)
  const shown = { name: 'premium_support_monthly', quantity: 2 }
  const { body } = await subscriber.api.get(subscriber.path)
  expect(body).toMatchObject({ modules: ['banking'], seats: 4 })
  expect(body.products).toEqual([{ name: 'seat', quantity: 4 }, { name: 'banking', quantity: 1 }, shown])
  for (const change of [{ seats: 5 }, { modules: ['planning'] }]) {
    const { status, body } = await subscriber.api.patch(subscriber.path, change)
    expect([status, body.products.at(-1)]).toEqual([200, shown])
  }
  expect((await linesAt(subscriber)).filter(([amount]) => amount === 5000)).toEqual([[5000, 2]])
  expect(await modulesOf(subscriber)).toEqual(['planning'])
})

test('a module whose price is archived stays, and can no longer be added', async () => {
  const subscriber = await subscribed({ seats: 4, modules: ['reporting'] })
  const { id } = await priceOf('module_reporting_monthly')
  await dashboard.prices.update(id, { active: false })
  const { status, body } = await subscriber.api.patch(subscriber.path, { seats: 6 })
  expect([status, body.seats, body.modules]).toEqual([200, 6, ['reporting']])
  expect((await subscriber.api.patch(subscriber.path, { modules: [] })).status).toBe(200)
  const since = stripe.requests.length
  const added = await subscriber.api.patch(subscriber.path, { modules: ['reporting'] })
  expect([added.status, violationsOf(added.body)]).toEqual([422, { modules: 'isSold' }])
  const refused = await (await payingCustomer()).api.post('/subscriptions', { modules: ['reporting'] })
  expect([refused.status, violationsOf(refused.body)]).toEqual([422, { modules: 'isSold' }])
  const sent = stripe.requests
    .slice(since)
    .filter(({ method, path }) => method === 'POST' && path.includes('subscriptions'))
  expect(sent).toEqual([])
})

test('seats above the limit of one payment are a 422, and a renewal above it stays a draft', async () => {
  const subscriber = await payingCustomer()
  const body = { paymentMethod: subscriber.card, type: 'yearly', seats: 100_000 }
  const refused = await subscriber.api.post('/subscriptions', body)
  expect([refused.status, violationsOf(refused.body)]).toEqual([422, { seats: 'amount_too_large' }])
  expect((await subscriber.api.get('/subscriptions')).body.totalItems).toBe(0)

  const large = await subscribed({ seats: 4 })
  expect((await large.api.patch(large.path, { seats: 100_000 })).status).toBe(200)
  stripe.advance({ days: 32 })
  await syncNow(large.customer)
  expect((await large.api.get(`${large.path}/invoices`)).body.member[0].status).toBe('draft')
  expect(stripe.stripe.events.some(({ type }) => type === 'invoice.finalization_failed')).toBe(true)
})
