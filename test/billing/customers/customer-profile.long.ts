import { OrganizationAddress, OrganizationUser, User } from '../../../entities/index.ts'
import { reconcile } from '../../../src/billing/sync/reconcile.ts'
import { stripeCustomer } from '../../support/billing/billing.ts'
import { dashboard, type Subscribed, serverRequests, subscribed } from '../../support/billing/stripe.ts'
import { eventually } from '../../support/eventually.ts'
import { jobs, startJobs } from '../../support/jobs.ts'
import { openWorld } from '../../support/world.ts'

const { as, database, given, publicUrl, stripe } = await openWorld()

const subscriber = await subscribed()
const organization = subscriber.tenant.organization.id
const found = async ({ customer }: Pick<Subscribed, 'customer'> = subscriber) => {
  const { name, email, address, preferred_locales } = (await dashboard.customers.retrieve(customer)) as never
  return { name, email, address, preferred_locales } as Record<string, unknown>
}
const becomes = (expected: object) =>
  eventually(
    () => found(),
    (now) => expect(now).toMatchObject(expected),
  )
const { owner } = subscriber.tenant.users

test('a new customer has the name, address, email and language of its organization', async () => {
  expect(await found()).toMatchObject({
    name: 'Subscriber',
    email: owner.email,
    address: { line1: 'Damrak 1', city: 'Amsterdam', country: 'NL' },
    preferred_locales: ['nl'],
  })
})

describe('the profile at Stripe is updated when', () => {
  beforeAll(() => startJobs())

  test('the billing address changes', async () => {
    const path = `/organization-addresses/${subscriber.address.id}`
    const values = { name: 'Subscriber BV', street: 'Rokin', houseNumber: null, postalCode: '1012 KV' }
    expect((await subscriber.api.patch(path, values)).status).toBe(200)
    await becomes({ name: 'Subscriber BV', address: { line1: 'Rokin', postal_code: '1012 KV', city: 'Amsterdam' } })
    expect((await subscriber.api.patch(path, { postalCode: null })).status).toBe(200)
    await eventually(
      () => found(),
      ({ address }) => expect((address as Record<string, unknown>).postal_code ?? null).toBeNull(),
    )
  })

  test('the email of the owner changes to a valid address', async () => {
    await as(owner, { email: 'new@example.com' }).get('/users/me').expect(200)
    await becomes({ email: 'new@example.com' })
    await database.manager.update(User, { id: owner.id }, { email: '"a\r\nb"@example.com' })
    await jobs.tellCustomer({ organization })
    expect(await found()).toMatchObject({ email: 'new@example.com' })
  })

  test('the owner changes', async () => {
    const heir = await given(User, {
      issuer: publicUrl,
      subject: `heir of ${organization}`,
      name: 'Heir',
      email: 'heir@example.com',
    })
    await given(OrganizationUser, { organizationId: organization, userId: heir.id, name: 'Heir', role: 'owner' })
    const own = { organizationId: organization, userId: owner.id }
    const { id } = await database.manager.findOneByOrFail(OrganizationUser, own)
    await as(heir).patch(`/organization-users/${id}`, { role: 'admin' }).expect(200)
    await becomes({ email: 'heir@example.com' })
  })

  test('the language changes', async () => {
    const { body } = await subscriber.api.get('/organization-configs?itemsPerPage=100')
    const config = body.member.find(({ key }: { key: string }) => key === 'language')
    expect((await subscriber.api.patch(config['@id'], { value: 'fr' })).status).toBe(200)
    await becomes({ preferred_locales: ['fr'] })
  })
})

test('the nightly reconciliation restores a profile that was changed at Stripe, and sends nothing for an equal one', async () => {
  await dashboard.customers.update(subscriber.customer, {
    name: 'Somebody',
    address: { line1: 'Elsewhere', country: 'BE' },
  })
  await reconcile(database)
  await becomes({ name: 'Subscriber BV', address: { line1: 'Rokin', country: 'NL' } })
  const since = stripe.requests.length
  await jobs.tellCustomer({ organization })
  // Other jobs may read the customer at the same time; they do not write it.
  expect(serverRequests(since).filter(({ method }) => method !== 'GET')).toEqual([])
})

test('the job is not retried when Stripe rejects the address or has deleted the customer', async () => {
  const other = await subscribed()
  const body = JSON.stringify({ error: { type: 'invalid_request_error', param: 'address[country]', message: 'No.' } })
  stripe.fault({ kind: 'nonsense', status: 400, body, method: 'POST', path: '/v1/customers/' })
  await database.manager.update(OrganizationAddress, { id: other.address.id }, { city: 'Gouda' })
  await jobs.tellCustomer({ organization: other.tenant.organization.id })
  stripe.clearFaults()
  await dashboard.customers.del(other.customer)
  await jobs.tellCustomer({ organization: other.tenant.organization.id })
  const stranger = await stripeCustomer()
  await jobs.tellCustomer({ organization: stranger.tenant.organization.id })
})
