import { createHash } from 'node:crypto'
import {
  Organization,
  OrganizationAddress,
  OrganizationConfig,
  OrganizationUser,
  Subscription,
  User,
} from '../../../entities/index.ts'
import type { Callers } from '../../../src/access/callers.ts'
import { api as table } from '../../../src/api.ts'
import { insertDefaults } from '../../../src/workspace/defaults.ts'
import { provisionOrganization } from '../../../src/workspace/provision.ts'
import { type Customer, stripeCustomer } from '../../support/billing/billing.ts'
import { givenInvitation } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'

const { as, banking, billing, database, given, operator, person } = await openWorld()

type Subscriber = Customer & { second: OrganizationUser }
type Case = [operation: string, change: (subscriber: Subscriber) => Promise<unknown>]

const settingOf = (organizationId: string, key: string) =>
  database.manager.findOneByOrFail(OrganizationConfig, { organizationId, key })
const memberOf = ({ tenant }: Subscriber, role: 'owner' | 'admin') =>
  database.manager.findOneByOrFail(OrganizationUser, { userId: tenant.users[role].id })
const patchMember = ({ api }: Subscriber, { id }: OrganizationUser, body: object) =>
  api.patch(`/organization-users/${id}`, body).expect(200)

/** Changes of the profile that Stripe has of a customer: its name, addresses, language, and the owners with their email addresses. */
const changes: Case[] = [
  [
    'PATCH /organizations/:id',
    ({ api, tenant }) => api.patch(`/organizations/${tenant.organization.id}`, { name: 'New' }).expect(200),
  ],
  ['POST /organization-addresses', ({ api }) => api.post('/organization-addresses', street).expect(201)],
  [
    'PATCH /organization-addresses/:id',
    ({ api, address }) => api.patch(`/organization-addresses/${address.id}`, { city: 'Gouda' }).expect(200),
  ],
  [
    'DELETE /organization-addresses/:id',
    ({ api, address }) => api.delete(`/organization-addresses/${address.id}`).expect(204),
  ],
  [
    'PATCH /organization-configs/:id',
    async ({ api, tenant }) => {
      const { id } = await settingOf(tenant.organization.id, 'language')
      await api.patch(`/organization-configs/${id}`, { value: 'fr' }).expect(200)
    },
  ],
  [
    'PATCH /organization-users/:id',
    async (subscriber) => patchMember(subscriber, await memberOf(subscriber, 'admin'), { role: 'owner' }),
  ],
  ['PATCH /organization-users/:id', (subscriber) => patchMember(subscriber, subscriber.second, { role: 'admin' })],
  [
    'PATCH /organization-users/:id',
    (subscriber) => patchMember(subscriber, subscriber.second, { status: 'suspended' }),
  ],
  ['DELETE /organization-users/:id', ({ api, second }) => api.delete(`/organization-users/${second.id}`).expect(204)],
  [
    'POST /users/me/erase',
    async ({ second: { userId: id } }) => {
      const user = await database.manager.findOneByOrFail(User, { id })
      await as(user)
        .post('/users/me/erase', { confirm: user.email ?? user.name })
        .expect(201)
    },
  ],
  [
    'POST /organization-user-invitations/accept',
    async ({ tenant }) => {
      const token = `token of ${tenant.organization.slug}`
      const tokenHash = createHash('sha256').update(token).digest()
      const invited = { organizationId: tenant.organization.id, invitedById: tenant.users.owner.id }
      await givenInvitation({ ...invited, role: 'owner', tokenHash })
      const heir = await person(`heir of ${tenant.organization.slug}`)
      await as(heir).post('/organization-user-invitations/accept', { token }).expect(201)
    },
  ],
  [
    'a newer token',
    ({ tenant }) => as(tenant.users.owner, { email: `${tenant.organization.slug}@example.com` }).get('/users/me'),
  ],
  [
    'the job provisionOrganization',
    async ({ tenant: { organization } }) => {
      await database.manager.delete(OrganizationConfig, { organizationId: organization.id })
      await as(operator).patch(`/organizations/${organization.id}`, { status: 'provisioning' }).expect(200)
      await provisionOrganization(database)({ organization: organization.id })
    },
  ],
]

/** Operations on the same rows that change nothing of it: names and images of people and organizations, and other settings. */
const others = [
  'POST /organizations',
  'POST /organizations/clear',
  'POST /organizations/export',
  'POST /organizations/close',
  'POST /organizations/reopen',
  ...['icon', 'logo'].flatMap((image) => [`POST /organizations/${image}`, `DELETE /organizations/${image}`]),
  'PATCH /users/me',
  'POST /organization-user-invitations',
  'DELETE /organization-user-invitations/:id',
  'POST /organization-user-invitations/:id/resend',
]

test.each(changes)('%s tells Stripe of a change in the same transaction', async (_, change) => {
  const subscriber = await newPayer()
  const before = await profileOf(subscriber)
  await change(subscriber)
  expect(await profileOf(subscriber)).not.toEqual(before)
  expect(await jobsFor(subscriber)).toHaveLength(1)
})

test('several changes make one job, and a change that changes nothing makes none', async () => {
  const subscriber = await newPayer()
  const path = `/organization-addresses/${subscriber.address.id}`
  await subscriber.api.patch(path, { city: subscriber.address.city }).expect(200)
  const { id } = await settingOf(subscriber.tenant.organization.id, 'timezone')
  await subscriber.api.patch(`/organization-configs/${id}`, { value: 'Europe/Paris' }).expect(200)
  await patchMember(subscriber, await memberOf(subscriber, 'admin'), { role: 'member' })
  expect(await jobsFor(subscriber)).toHaveLength(0)
  for (const city of ['Gouda', 'Delft', 'Leiden']) await subscriber.api.patch(path, { city }).expect(200)
  expect(await jobsFor(subscriber)).toHaveLength(1)
})

test('a change that is refused tells Stripe nothing', async () => {
  const subscriber = await newPayer()
  await subscriber.api.delete(`/organization-addresses/${subscriber.address.id}`).set('If-Match', '"0"').expect(412)
  await given(Subscription, {
    organizationId: subscriber.tenant.organization.id,
    organizationAddress: subscriber.address,
    seats: 9,
  })
  await subscriber.api.delete(`/organization-addresses/${subscriber.address.id}`).expect(409)
  expect(await jobsFor(subscriber)).toHaveLength(0)
})

test('an organization without a customer has no job', async () => {
  const { api, address, tenant } = await stripeCustomer()
  await api.patch(`/organization-addresses/${address.id}`, { city: 'Gouda' }).expect(200)
  await insertDefaults(database.manager, tenant.organization.id, 'configuration')
  expect(await jobsFor({ tenant })).toHaveLength(0)
})

test('every operation on a row that Stripe knows is listed in this file', () => {
  const written = ['Organization', 'OrganizationAddress', 'OrganizationConfig', 'OrganizationUser', 'User']
  const resources = table({ of: () => Promise.reject(), forget() {} } as unknown as Callers, billing, banking)
  const operations = resources
    .filter(({ name }) => [...written, 'OrganizationUserInvitation'].includes(name))
    .flatMap(({ path, operations }) => operations.map((each) => `${each.method} ${path}${each.path}`))
    .filter((title) => !title.startsWith('GET'))
  const listed = [...changes.map(([title]) => title), ...others]
  expect(operations.filter((title) => !listed.includes(title))).toEqual([])
})

const street = { kind: 'billing', name: 'New', street: 'Dam', city: 'Delft', country: '/countries/NL' }
let subscribers = 0

/** An organization with a customer and two owners. No jobs run. */
async function newPayer(): Promise<Subscriber> {
  const subscriber = await stripeCustomer({ stripeCustomerId: `cus_changes${++subscribers}` })
  const user = await person(`second owner ${subscribers}`)
  const membership = { organizationId: subscriber.tenant.organization.id, user, name: 'Second', role: 'owner' as const }
  return { ...subscriber, second: await given(OrganizationUser, membership) }
}

/** The rows that a profile is made from. */
async function profileOf({ tenant }: Pick<Subscriber, 'tenant'>): Promise<unknown> {
  const organizationId = tenant.organization.id
  const { name } = await database.manager.findOneByOrFail(Organization, { id: organizationId })
  const addresses = await database.manager.findBy(OrganizationAddress, { organizationId })
  const settings = await database.manager.findBy(OrganizationConfig, { organizationId, key: 'language' })
  const owners = await database.manager.find(OrganizationUser, {
    where: { organizationId, role: 'owner', status: 'active' },
    relations: { user: true },
  })
  return { name, addresses, settings, owners: owners.map(({ id, user }) => [id, user.email]) }
}

function jobsFor({ tenant }: Pick<Subscriber, 'tenant'>): Promise<unknown[]> {
  return database.query(
    `SELECT "id" FROM graphile_worker.jobs WHERE "key" = $1 AND "task_identifier" = 'tellCustomer'`,
    [`tell:${tenant.organization.id}`],
  )
}
