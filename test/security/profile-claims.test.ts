import { OrganizationUser, Subscription, User } from '../../entities/index.ts'
import { address, invited, newcomer, path } from '../invitations/invitees.ts'
import { mailSystem } from '../support/mail-server.ts'
import { token } from '../support/requests/forged-tokens.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, foundTenant, given, givenAddress, organization, person } = await openWorld()

// The claims of a first token could outlive the claims of a newer one.
// The same fault can occur in the name and the address of a user, and in the name of its membership.
// It can occur in invitations to the new address, before and after the change.
// It can occur in seats, in invitations that are sent again, and with two processes.

const now = Math.floor(Date.now() / 1000)
let count = 0

// OpenID Connect Core §5.7: subject and issuer name the person; its name and address may change.
test('a newer token brings a new name and address, on the request that it is sent with', async () => {
  const { user } = await joined()
  expect(await me(user, { iat: now - 50, name: 'Ada Adams', email: 'ada@example.com' })).toMatchObject({
    name: 'Ada Adams',
    email: 'ada@example.com',
  })
  const renamed = { iat: now - 40, name: 'Ada Byron', email: 'byron@example.com' }
  expect(await me(user, renamed)).toMatchObject({ name: 'Ada Byron', email: 'byron@example.com' })
  expect((await api.get(`/users/${user.id}`)).body).toMatchObject({ name: 'Ada Byron', email: 'byron@example.com' })
})

test('an older token brings nothing back, and a token without iat changes nothing', async () => {
  const { user } = await joined()
  const young = { iat: now - 10, name: 'Young', email: 'young@example.com' }
  await me(user, young)
  for (const claims of [{ iat: now - 100 }, { iat: now - 10 }, { iat: undefined }])
    expect(await me(user, { name: 'Old', email: 'old@example.com', ...claims })).toMatchObject({ name: 'Young' })
  expect(await me(user, { iat: now })).toMatchObject({ name: 'Young', email: 'young@example.com' })
})

test('a profile is written once for each change, however many requests there are', async () => {
  const { user } = await joined()
  const [old, young] = [
    { iat: now - 20, name: 'Old', email: null },
    { iat: now - 10, name: 'Young', email: null },
  ]
  for (let round = 0; round < 5; round++) for (const claims of [old, young]) await me(user, claims)
  for (let later = 1; later <= 5; later++) await me(user, { ...young, iat: now - 10 + later })
  expect(await stored(user)).toMatchObject({ name: 'Young', version: 3 })
})

test('of twenty tokens at once the newest wins', async () => {
  const { user } = await joined()
  const ages = Array.from({ length: 20 }, (_, age) => age).sort(() => Math.random() - 0.5)
  await Promise.all(ages.map((age) => me(user, { iat: now - age, name: `Name ${age}` })))
  expect(await stored(user)).toMatchObject({ name: 'Name 0' })
})

test.each([
  ['no address', { email: 'nobody' }],
  ['an address and a header', { email: '"a\r\nBcc: c"@example.com' }],
  ['two addresses', { email: 'a@example.com, b@example.com' }],
  ['a list', { email: ['a@example.com'] }],
  ['too long an address', { email: `${'a'.repeat(250)}@example.com` }],
  ['an address that the issuer has not verified', { email: 'other@example.com', email_verified: false }],
  ['a blank name', { name: ' \u00a0' }],
  ['a name of two lines', { name: 'Ada\nAdams' }],
  ['too long a name', { name: 'x'.repeat(256) }],
  ['a name that is a number', { name: 42 }],
])('%s is ignored', async (_, claims) => {
  const { user } = await joined({ email: 'kept@example.com' })
  const { name, email } = await me(user, { iat: now, ...(claims as object) })
  expect([name, email]).toEqual([user.name, 'kept@example.com'])
  await database.manager.update(User, { id: user.id }, { email: null })
})

test('a membership follows the name that it was made from, and keeps one that an invitation gave', async () => {
  const { user, id } = await joined()
  const named = await joined()
  await database.manager.update(OrganizationUser, { id: named.id }, { name: 'Given by an invitation' })
  for (const each of [user, named.user]) await me(each, { iat: now, name: `New ${each.subject}` })
  expect((await api.get(`/organization-users/${id}`)).body.name).toBe(`New ${user.subject}`)
  expect((await api.get(`/organization-users/${named.id}`)).body.name).toBe('Given by an invitation')
})

test('a member’s new address is not invited, and its former one can be', async () => {
  const { user } = await joined()
  const [former, present] = [address(), address()]
  await me(user, { iat: now - 10, email: former })
  await me(user, { iat: now, email: present })
  for (const email of [present, present.toUpperCase()]) {
    const { status, body } = await api.post(path, { email })
    expect([status, body.violations]).toMatchObject([422, [{ propertyPath: 'email', code: 'isMember' }]])
  }
  expect((await api.post(path, { email: former })).status).toBe(201)
})

test('an invitation to an address that has become a member’s takes no seat, and lets no other person in', async () => {
  const { organization, users } = await foundTenant('Seated', `seated-${++count}`)
  const own = { organizationId: organization.id }
  await given(Subscription, { ...own, organizationAddress: await givenAddress(own), seats: 4, status: 'active' })
  const owner = as(users.owner)
  const email = address()
  const { body } = await owner.post(path, { email }).expect(201)
  const bearer = await mailSystem.server.tokenTo(email)
  expect((await owner.post(path, { email: address() })).status).toBe(409)

  await me(users.member, { iat: now, email })
  expect((await owner.post(path, { email: address() })).status).toBe(201)
  expect((await owner.post(`${body['@id']}/resend`)).status).toBe(409)
  expect((await as(newcomer()).post(`${path}/accept`, { token: bearer })).status).toBe(422)
  expect((await as(users.member).post(`${path}/accept`, { token: bearer })).status).toBe(201)
  expect(await database.manager.countBy(OrganizationUser, own)).toBe(3)
})

test('one address does not join twice', async () => {
  const email = address()
  const { user } = await joined()
  await me(user, { iat: now, email })
  const { token: bearer } = await invited()
  const { status, body } = await as(newcomer(), { email: email.toUpperCase() }).post(`${path}/accept`, {
    token: bearer,
  })
  expect([status, body.detail]).toEqual([409, expect.stringContaining('address')])
  expect((await as(newcomer(), { email: address() }).post(`${path}/accept`, { token: bearer })).status).toBe(201)
})

test('of two members who take one address at once one has it', async () => {
  const email = address()
  const two = [await joined(), await joined()]
  await Promise.all(two.map(({ user }) => me(user, { iat: now, email, name: `Renamed ${user.subject}` })))
  const rows = await Promise.all(two.map(({ user }) => stored(user)))
  expect(rows.map(({ email }) => email).sort()).toEqual([null, email].sort())
  expect(rows.map(({ name }) => name)).toEqual(two.map(({ user }) => `Renamed ${user.subject}`))
})

async function me(user: User, claims: object): Promise<{ name: string; email: string | null }> {
  const bearer = await token({ sub: user.subject, ...claims })
  const { status, body } = await as().get('/users/me').set('Authorization', `Bearer ${bearer}`)
  expect(status).toBe(200)
  return body
}

const stored = ({ id }: User) => database.manager.findOneByOrFail(User, { id })

async function joined(values: Partial<User> = {}) {
  const user = await person(`claiming-${++count}`, values)
  const { id } = await given(OrganizationUser, { organizationId: organization.id, user, name: user.name })
  return { user, id }
}
