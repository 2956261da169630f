import { Client } from 'pg'
import { Integration, Organization, OrganizationModule } from '../../entities/index.ts'
import { payingCustomer, stripeCustomer } from '../support/billing/billing.ts'
import { violationsOf } from '../support/billing/manual-billing.ts'
import { givenInvitation, rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, operator, organization, person } = await openWorld()

// A taken slug reveals that another tenant has it (docs/adr/0001-slugs-are-public-names.md).
// The same disclosure can occur by names, people's addresses, ids at Stripe and Kontomatik, invitation tokens and idempotency keys.
// It can occur by the amount of work behind a response.

const theirs = await rowsOf(elsewhere)
const path = '/organization-user-invitations'

test('a slug is a public name: a caller learns that it is taken, and nothing more', async () => {
  const founder = as(await person('founder-of-slugs'))
  const { status, body } = await founder.post('/organizations', { name: 'Another', slug: 'elsewhere' })
  expect([status, violationsOf(body)]).toEqual([422, { slug: expect.any(String) }])
  expect(JSON.stringify(body)).not.toContain(elsewhere.organization.id)
  const { id } = await given(Organization, { name: 'Closed', slug: 'closed-one', status: 'closed' })
  const closed = await founder.post('/organizations', { name: 'Another', slug: 'closed-one' })
  expect([closed.status, JSON.stringify(closed.body).replace('closed-one', 'elsewhere')]).toEqual([
    status,
    JSON.stringify(body),
  ])
  expect(JSON.stringify(closed.body)).not.toContain(id)
})

test('names of organizations, locations and employees need not be unique across tenants', async () => {
  const founder = as(await person('founder-of-names'))
  expect((await founder.post('/organizations', { name: 'Elsewhere' })).status).toBe(201)
  expect((await api.post('/locations', { name: 'Amsterdam' })).status).toBe(201)
  const { name, email } = { name: 'Mia', email: 'mia@elsewhere.example' }
  expect((await as(elsewhere.users.owner).post('/employees', { name, email })).status).toBe(201)
  expect((await api.post('/employees', { name, email })).status).toBe(201)
})

// OWASP ASVS 6.3.8: whether an account exists is not deducible, from the answer or from the work behind it.
test('an address is invited in one way, and with the same work, whether it is known elsewhere or not', async () => {
  await person('member-elsewhere', { email: 'known@elsewhere.example' })
  await givenInvitation({
    organizationId: elsewhere.organization.id,
    invitedBy: elsewhere.users.owner,
    email: 'invited@elsewhere.example',
  })
  const asked = async (email: string) => {
    const statements = await watched(() => api.post(path, { email }).expect(201))
    return statements
  }
  await asked('first@elsewhere.example')
  const unknown = await asked('unknown@elsewhere.example')
  expect(unknown.length).toBeGreaterThan(5)
  for (const email of ['known@elsewhere.example', 'invited@elsewhere.example'])
    expect(await asked(email)).toEqual(unknown)
})

// OWASP API1:2023, at Stripe: an id that another customer has is as good as none.
test('a payment method of another tenant is refused as one that does not exist', async () => {
  const other = await payingCustomer()
  const { externalId } = (await other.api.get(other.card)).body
  const subscriber = await stripeCustomer()
  const refused = async (id: string) => {
    const { status, text } = await subscriber.api.post('/payment-methods', { externalId: id })
    return [status, text.replaceAll(id, 'pm_…')]
  }
  const unknown = await refused('pm_unknown')
  expect(unknown[0]).toBe(422)
  expect(await refused(externalId)).toEqual(unknown)
  expect((await other.api.delete(other.card)).status).toBe(204)
  expect(await refused(externalId)).toEqual(unknown)
})

test('a sign-in at a bank that another tenant has begun is answered as one that does not exist', async () => {
  const own = { organizationId: elsewhere.organization.id, startedById: elsewhere.users.owner.id }
  await given(Integration, { ...own, redirectionId: 'begun-elsewhere', expiresAt: new Date(Date.now() + 60_000) })
  const banking = { organizationId: organization.id, name: 'banking' }
  await database.manager.update(OrganizationModule, banking, { enabled: true, source: 'operator' })
  const [known, unknown] = await Promise.all(
    ['begun-elsewhere', 'begun-nowhere'].map((redirectionId) =>
      api.post('/integrations/kontomatik/setup', { redirectionId }),
    ),
  )
  expect([known.status, known.text]).toEqual([404, unknown.text])
})

test('a token of an invitation and a key of a request are one’s own', async () => {
  const key = 'the same key everywhere'.replaceAll(' ', '-')
  const [here, there] = await Promise.all(
    [api, as(elsewhere.users.owner)].map((agent) =>
      agent.post('/locations', { name: 'Keyed' }).set('Idempotency-Key', key),
    ),
  )
  expect([here.status, there.status]).toEqual([201, 201])
  expect(there.headers).not.toHaveProperty('idempotent-replayed')
})

test('only the operator is told that a customer of Stripe is another’s', async () => {
  const { status } = await api.patch(`/organizations/${organization.id}`, { stripeCustomerId: 'cus_elsewhere' })
  expect(status).toBe(200)
  expect((await api.get(`/organizations/${organization.id}`)).body.stripeCustomerId).toBeNull()
  expect((await as(operator).get(`/organizations/${elsewhere.organization.id}`)).status).toBe(200)
  expect(theirs.Organization.id).toBe(elsewhere.organization.id)
})

/** The texts of the statements that a request is answered with, in their order. */
async function watched(work: () => PromiseLike<unknown>): Promise<string[]> {
  const seen: string[] = []
  const { query } = Client.prototype as unknown as { query: (...given: unknown[]) => unknown }
  Object.assign(Client.prototype, {
    query(this: Client, ...given: unknown[]) {
      const [first] = given as [string | { text?: string }]
      seen.push(typeof first === 'string' ? first : (first?.text ?? ''))
      return query.apply(this, given)
    },
  })
  try {
    await work()
  } finally {
    Object.assign(Client.prototype, { query })
  }
  return (
    seen
      // Memberships are kept for a second. Wake-ups for streams of changes and the settings of a new connection belong to no request.
      .filter((text) => !/^SELECT .*FROM "user" u LEFT JOIN|^NOTIFY "change"$|^SELECT WHERE set_config\(/s.test(text))
      .map((text) => text.replace(/\d+/g, 'n'))
  )
}
