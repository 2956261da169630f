import { Organization, OrganizationUser, type User } from '../../entities/index.ts'
import type { Callers } from '../../src/access/callers.ts'
import { api as table } from '../../src/api.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { type Agent, openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, foundTenant, given, operator, organization, person, tenant } = await openWorld()

/** The roles of each operation, written by hand; a role that is not listed may not. */
const permissions: [who: string, what: string[]][] = [
  ['anonymous guest member admin owner operator', ['GET /countries', 'GET /countries/:id']],
  ['guest member admin owner operator', ['GET /organizations', 'GET /organizations/:id', 'GET /users/me']],
  [
    'guest member admin owner',
    ['POST /organizations', 'POST /organization-user-invitations/accept', 'PATCH /users/me', 'POST /users/me/erase'],
  ],
  [
    'member admin owner',
    [
      ...['GET /employees', 'GET /employees/:id', 'GET /users', 'GET /users/:id'],
      ...['GET /organization-users', 'GET /organization-users/:id', 'GET /locations', 'GET /locations/:id'],
      ...['GET /languages', 'GET /languages/:id', 'GET /organization-modules', 'GET /organization-modules/:id'],
      ...['DELETE /organization-users/:id', 'GET /organization-configs', 'GET /organization-configs/:id'],
      ...['GET /organization-addresses', 'GET /organization-addresses/:id', 'GET /organizations/mail-footer'],
      ...['GET /meetings', 'GET /meetings/:id', 'POST /meetings', 'PATCH /meetings/:id'],
      ...['GET /bank-accounts', 'GET /bank-accounts/:id', 'GET /bank-transactions', 'GET /bank-transactions/:id'],
    ],
  ],
  [
    'admin owner',
    [
      ...['POST /organizations/logo', 'POST /organizations/icon', 'PATCH /organizations/mail-footer'],
      ...['DELETE /organizations/logo', 'DELETE /organizations/icon'],
      ...['POST /locations', 'PATCH /locations/:id', 'POST /languages', 'POST /employees', 'PATCH /employees/:id'],
      'POST /employees/:id/erase',
      ...['PATCH /organization-users/:id', 'PATCH /organization-configs/:id'],
      ...['GET /organization-user-invitations', 'GET /organization-user-invitations/:id'],
      ...['POST /organization-user-invitations', 'DELETE /organization-user-invitations/:id'],
      'POST /organization-user-invitations/:id/resend',
      ...['GET /api-keys', 'GET /api-keys/:id', 'POST /api-keys', 'PATCH /api-keys/:id', 'DELETE /api-keys/:id'],
      ...['GET /webhook-endpoints', 'GET /webhook-endpoints/:id', 'POST /webhook-endpoints'],
      ...['GET /webhook-deliveries', 'GET /webhook-deliveries/:id', 'POST /webhook-deliveries/test'],
      'POST /webhook-deliveries/:id/resend',
      ...['PATCH /webhook-endpoints/:id', 'DELETE /webhook-endpoints/:id', 'POST /webhook-endpoints/:id/renew-secret'],
      ...['POST /organization-addresses', 'PATCH /organization-addresses/:id', 'DELETE /organization-addresses/:id'],
      ...['GET /subscriptions', 'GET /subscriptions/:id', 'POST /subscriptions', 'PATCH /subscriptions/:id'],
      ...['POST /subscriptions/:id/cancel', 'GET /subscriptions/:id/invoices'],
      ...['POST /subscriptions/apply-coupon', 'POST /subscriptions/clear-coupon'],
      ...[
        'GET /invoices',
        'GET /invoices/:id',
        'POST /invoices/:id/pay',
        'GET /payment-methods',
        'GET /payment-methods/:id',
      ],
      ...['POST /payment-methods', 'POST /payment-methods/setup', 'DELETE /payment-methods/:id'],
      ...['GET /integrations', 'GET /integrations/:id', 'POST /integrations/kontomatik/setup'],
      ...['POST /integrations/kontomatik/pull', 'POST /integrations/kontomatik/revoke'],
    ],
  ],
  ['admin owner operator', ['PATCH /organizations/:id']],
  [
    'owner',
    [
      ...['POST /organizations/clear', 'GET /audit-events', 'GET /audit-events/:id'],
      ...['POST /organizations/close', 'POST /organizations/reopen'],
      ...['POST /organizations/export', 'GET /organization-exports', 'GET /organization-exports/:id'],
    ],
  ],
  ['operator', ['POST /subscriptions/:id/confirm']],
]
const written = new Map(permissions.flatMap(([who, what]) => what.map((title) => [title, who.split(' ')])))

const guest = await person('guest')
const several = await person('several')
for (const { id } of [organization, elsewhere.organization])
  await given(OrganizationUser, { user: several, organizationId: id, name: 'several', role: 'owner' })
const suspended = await person('suspended')
await given(OrganizationUser, { user: suspended, name: 'suspended', role: 'owner', status: 'suspended' })
const { member, admin, owner } = tenant.users

/** Every caller, and its role in the table of permissions. */
const callers: [name: string, role: string, agent: Agent][] = [
  ['nobody', 'anonymous', as()],
  ['a newcomer', 'guest', as(guest)],
  ['an owner of several organizations who names none', 'owner', as(several)],
  ['an owner who names a strange organization', 'guest', as(owner, { organization: elsewhere.organization.id })],
  ['a suspended owner', 'guest', as(suspended)],
  ['a member', 'member', as(member)],
  ['an admin', 'admin', as(admin)],
  ['an owner', 'owner', as(owner)],
  ['an owner of several organizations who names one', 'owner', as(several, { organization: organization.id })],
  ['the operator', 'operator', as(operator)],
]

const rows: Record<string, { id: string }> = { ...(await rowsOf(tenant)), Country: { id: 'NL' } }
const operations = table({} as Callers, {} as never, {} as never).flatMap(({ name, path, operations }) =>
  operations.map((operation) => ({ title: `${operation.method} ${path}${operation.path}`, name, operation })),
)

test(`each of the ${operations.length} operations is written down here, for ${callers.length} callers`, () => {
  expect(operations.map(({ title }) => title).filter((title) => !written.has(title))).toEqual([])
})

test.each(operations)('$title is for whom it is written down', async ({ title, name, operation }) => {
  const may = written.get(title) as string[]
  const id = operation.method === 'GET' ? rows[name]?.id : '01900000-0000-7000-8000-000000000000'
  const path = title.split(' ')[1].replace(':id', id)

  const found: Record<string, string> = {}
  const expected: Record<string, string> = {}
  for (const [caller, role, agent] of callers) {
    const { status, headers, body } = await ask(agent, operation, path, rows.Employee.id)
    const mine = operation.method === 'GET' && ['member', 'admin', 'owner'].includes(role)
    found[caller] = [401, 403, 405].includes(status) || (mine && status !== 200) ? String(status) : 'may'
    expected[caller] = may.includes(role) ? 'may' : role === 'anonymous' ? '401' : '403'
    expect(status < 500 || status === 503).toBe(true)
    if (status < 400) continue
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined)
    expect(body).toMatchObject({ '@id': `/errors/${status}`, type: `/errors/${status}`, status })
    expect(body.detail).toBeTruthy()
  }
  expect(found).toEqual(expected)
})

test('the operator, who could not act in it, neither founds nor joins an organization, and is told why', async () => {
  const before = await database.manager.count(Organization)
  for (const [path, body] of [
    ['/organizations', { name: 'Operated' }],
    ['/organization-user-invitations/accept', { token: 'x' }],
  ] as const) {
    const refused = await as(operator).post(path, body)
    expect([refused.status, refused.body.detail]).toEqual([
      403,
      'The operator stands outside all organizations: use the token of a person who will belong to the organization.',
    ])
  }
  expect(await database.manager.count(Organization)).toBe(before)
})

test('a member of several organizations acts for the oldest, or for the one that its token names', async () => {
  expect((await as(several).get(`/meetings/${rows.Meeting.id}`)).status).toBe(200)

  const named = as(several, { organization: elsewhere.organization.id })
  expect((await named.get('/meetings')).status).toBe(200)
  expect((await named.get(`/meetings/${rows.Meeting.id}`)).status).toBe(404)
})

test('a claim that names no organization of the caller opens none, and is told to be the reason', async () => {
  for (const claim of [elsewhere.organization.id, 'acme', organization.id.toUpperCase(), "' OR true --"]) {
    const { status, body } = await as(owner, { organization: claim }).get('/meetings')
    expect([claim, status]).toEqual([claim, 403])
    expect(body.detail).toMatch(/claim "organization"/)
  }
})

test('a member sees of its organization neither what it pays nor whom it invites', async () => {
  const path = `/organizations/${organization.id}`
  const hidden = {
    subscriptions: [],
    organizationUserInvitations: [],
    currentSubscription: null,
    stripeCustomerId: null,
  }
  const { body } = await as(member).get(path)
  expect(body).toMatchObject(hidden)
  expect((await as(member).get('/organizations')).body.member[0]).toMatchObject(hidden)
  expect(body.organizationUsers).not.toEqual([])

  for (const colleague of [admin, owner])
    expect((await as(colleague).get(path)).body).toMatchObject({
      subscriptions: [`/subscriptions/${rows.Subscription.id}`],
      currentSubscription: `/subscriptions/${rows.Subscription.id}`,
      organizationUserInvitations: [`/organization-user-invitations/${rows.OrganizationUserInvitation.id}`],
    })
})

test('the Stripe customer is shown to admins and owners alone', async () => {
  const paying = await foundTenant('Paying', 'paying', { manualBilling: false, stripeCustomerId: 'cus_paying' })
  const shown = async (user: User) => (await as(user).get(`/organizations/${paying.organization.id}`)).body
  expect((await shown(paying.users.member)).stripeCustomerId).toBeNull()
  expect((await shown(paying.users.admin)).stripeCustomerId).toBe('cus_paying')
  expect((await shown(paying.users.owner)).stripeCustomerId).toBe('cus_paying')
})

test('an organization that one does not act for is shown without its lists and with nothing to do', async () => {
  const { body } = await as(several, { organization: organization.id }).get('/organizations')
  const other = body.member.find(({ id }: { id: string }) => id === elsewhere.organization.id)
  expect(other).toMatchObject({ name: 'Elsewhere', currentSubscription: null, stripeCustomerId: null, ...empty })
  expect(actionsOf(other)).toEqual([])
  expect(actionsOf(body.member.find(({ id }: { id: string }) => id === organization.id))).not.toEqual([])

  const alone = await as(several).get(`/organizations/${elsewhere.organization.id}`)
  expect(alone.body).toMatchObject({ ...empty, currentSubscription: null })
  expect(actionsOf(alone.body)).toEqual([])
})

test('the links of an organization are the operations that its reader may use', async () => {
  const demo = await foundTenant('Demo', 'demo', { demo: true, productionLike: false })
  const shown = async (user: User) => actionsOf((await as(user).get(`/organizations/${demo.organization.id}`)).body)
  const managing = ['mailFooter', 'setupKontomatik', 'uploadIcon', 'uploadLogo']
  expect(await shown(demo.users.member)).toEqual(['mailFooter'])
  expect(await shown(demo.users.admin)).toEqual(managing)
  expect(await shown(demo.users.owner)).toEqual(['clear', ...managing])
  expect(await shown(operator)).toEqual([])
})

test('an organization that is productionLike shows no link to clear it', async () => {
  expect(actionsOf((await api.get(`/organizations/${organization.id}`)).body)).not.toContain('clear')
})

test('the operator alone is led to the subscription that awaits it', async () => {
  const path = `/organizations/${organization.id}`
  const { body } = await as(operator).get(path)
  expect(actionsOf(body)).toEqual(['confirmSubscription'])
  expect(body.confirmSubscription).toBe(`/subscriptions/${rows.Subscription.id}/confirm`)
  expect(body).toMatchObject({ ...empty, currentSubscription: null })
  for (const user of [member, admin, owner])
    expect(actionsOf((await as(user).get(path)).body)).not.toContain('confirmSubscription')
})

test('links of actions answer 405 to a GET, with what they allow', async () => {
  const demo = await foundTenant('Links', 'links', { demo: true, productionLike: false })
  const { body } = await as(demo.users.owner).get(`/organizations/${demo.organization.id}`)
  for (const name of ['clear', 'uploadIcon', 'uploadLogo', 'setupKontomatik']) {
    const { status, headers } = await as(demo.users.owner).get(body[name])
    const allow = name.startsWith('upload') ? 'OPTIONS, POST, DELETE' : 'OPTIONS, POST'
    expect([name, status, headers.allow]).toEqual([name, 405, allow])
  }
  expect((await as(demo.users.owner).get(body.mailFooter)).status).toBe(200)
})

const empty = {
  organizationUsers: [],
  organizationUserInvitations: [],
  organizationModules: [],
  subscriptions: [],
  organizationConfigs: [],
  organizationAddresses: [],
}

const links = ['clear', 'confirmSubscription', 'mailFooter', 'setupKontomatik', 'uploadIcon', 'uploadLogo']

function actionsOf(node: object): string[] {
  return links.filter((name) => name in node)
}

function ask(agent: Agent, { method, expects }: (typeof operations)[number]['operation'], path: string, self: string) {
  if (expects === 'file') return agent.post(path).attach('file', Buffer.from('no image'), 'logo.png')
  const body = path.startsWith('/meetings') ? { employee: `/employees/${self}` } : {}
  if (method === 'PATCH') return agent.patch(path, body)
  if (method === 'POST') return agent.post(path, body)
  return method === 'DELETE' ? agent.delete(path) : agent.get(path)
}
