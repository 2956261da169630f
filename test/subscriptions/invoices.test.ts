import { Invoice, Subscription } from '../../entities/index.ts'
import { confirmedSubscriber, customer, ownedBy } from '../support/billing/manual-billing.ts'
import { openWorld } from '../support/world.ts'

const { as, elsewhere, given } = await openWorld()

test('a manually billed subscription has no invoices', async () => {
  const { api, path } = await confirmedSubscriber()
  const { status, body } = await api.get((await api.get(path)).body.invoices)
  expect([status, body.totalItems, body.member]).toEqual([200, 0, []])
  expect(body).toMatchObject({ '@context': '/contexts/Invoice', '@id': `${path}/invoices`, '@type': 'Collection' })
})

test('the invoices of a subscription are listed newest first', async () => {
  const { api, tenant, address } = await customer({ manualBilling: false })
  const values = { ...ownedBy(tenant), organizationAddress: address, seats: 5 }
  const [old, current] = [
    await given(Subscription, { ...values, status: 'canceled' }),
    await given(Subscription, values),
  ]
  const bill = { ...ownedBy(tenant), status: 'open', currency: 'EUR', total: 12_345, amountDue: 12_345 }
  const billed = []
  for (const [index, subscription] of [current, old, current, current].entries())
    billed.push(await given(Invoice, { ...bill, subscription, name: `A-${index}`, externalId: `in_${index}` }))

  const { body } = await api.get(`/subscriptions/${current.id}/invoices`)
  expect(body.member.map(({ name }: Invoice) => name)).toEqual(['A-3', 'A-2', 'A-0'])
  expect(body.totalItems).toBe(3)
  expect((await api.get(body.member[0]['@id'])).body).toMatchObject({
    '@type': 'Invoice',
    subscription: `/subscriptions/${current.id}`,
    total: 12_345,
    currency: 'EUR',
  })
  const paged = await api.get(`/subscriptions/${current.id}/invoices?itemsPerPage=2&page=2`)
  expect(paged.body.member.map(({ name }: Invoice) => name)).toEqual(['A-0'])
  expect((await as(tenant.users.member).get(`/subscriptions/${current.id}/invoices`)).status).toBe(403)
  expect((await as(elsewhere.users.owner).get(`/subscriptions/${current.id}/invoices`)).status).toBe(404)
})
