import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import request from 'supertest'
import { BankAccount, Employee, Integration, User } from '../../entities/index.ts'
import type { Callers } from '../../src/access/callers.ts'
import { type Role, roles } from '../../src/access/roles.ts'
import { apiOptions, api as table } from '../../src/api.ts'
import { Api, listOperation, type Operation, Resource, readOperation } from '../../src/hydra/index.ts'
import type { FilterKind } from '../../src/hydra/model/filter.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { type Agent, openWorld } from '../support/world.ts'

const { as, config, database, given, operator, organization, person, tenant } = await openWorld()

// A query could confirm the value of a property that the caller's role may not read.
// The same fault can occur in each kind of filter, in exists, and in free text.
// It can occur in the order and its cursors, and in strict handling.
// It can occur in the search that a collection advertises, and in properties[].
// It can occur in rows that the caller sees as another role would.

const { member, admin, owner } = tenant.users
const rows = await rowsOf(tenant)
const integration = `/integrations/${rows.Integration.id}`
await given(BankAccount, {
  integration: await given(Integration, { status: 'active' }),
  name: 'Savings',
  reference: 'y',
})

// OWASP API3:2023: a role may not filter by a property that it may not read.
test('a member cannot filter accounts by a hidden link, whatever its value', async () => {
  const plain = (await as(member).get('/bank-accounts')).body
  expect(plain.totalItems).toBe(2)
  for (const value of [integration, '/integrations/nonsense', '', 'x'])
    for (const name of ['integration', 'integration[]', 'integration[0]']) {
      const { status, body } = await as(member).get(`/bank-accounts?${name}=${encodeURIComponent(value)}`)
      expect([name, value, status, body.member]).toEqual([name, value, 200, plain.member])
      const strict = await as(member)
        .get(`/bank-accounts?${name}=${encodeURIComponent(value)}`)
        .set('Prefer', 'handling=strict')
      expect([strict.status, strict.body.detail]).toEqual([400, expect.stringContaining('no parameter "integration')])
    }
  expect(plain.search.template).not.toContain('integration')
  expect(JSON.stringify(plain.search.mapping)).not.toContain('integration')
  const admins = (await as(admin).get(`/bank-accounts?integration=${integration}`)).body
  expect([admins.totalItems, admins.search.template]).toEqual([1, expect.stringContaining('integration')])
})

const agents: Partial<Record<Role, ReturnType<typeof as>>> = {
  anonymous: as(),
  guest: as(await person('hidden-guest')),
  member: as(member),
  admin: as(admin),
  owner: as(owner),
  operator: as(operator),
}
const resources = table({} as Callers, {} as never, {} as never)
const concealed = resources
  .filter(({ listed }) => listed)
  .flatMap((resource) =>
    roles.flatMap((role) => {
      const { hidden = {}, masked = {} } = resource.options
      const names = [...(hidden[role] ?? []), ...Object.keys(masked[role] ?? {})]
      return names.map((name) => ({ resource, role, name, path: resource.path }))
    }),
  )

test('there is something to hide', () => expect(concealed.length).toBeGreaterThan(20))

test.each(concealed)('$role asks $path by $name in vain', async ({ role, name, path }) => {
  const agent = agents[role] as Agent
  const plain = await agent.get(path)
  for (const query of waysToAsk(name)) {
    const { status, body } = await agent.get(`${path}?${query}`)
    expect([query, status, body.member]).toEqual([query, plain.status, plain.body.member])
  }
  expect(decodeURIComponent(plain.body.search?.template ?? '')).not.toMatch(new RegExp(`\\b${name}\\b`))
})

/** A resource that could be asked by everything that a member does not see of it. */
const hiding = new Resource(BankAccount, '/bank-accounts', [listOperation(), readOperation()], {
  hidden: { member: ['integration', 'availableBalance', 'currency'] },
  masked: { member: { iban: () => '…', name: () => '…' } },
  filters: {
    integration: 'reference',
    currency: ['exact', 'exists'],
    availableBalance: 'range',
    iban: ['exact', 'partial', 'exists'],
    createdAt: 'date',
  },
  order: ['name'],
})
/** The operations that the links of a class lead to: its context names them. */
function linked<E extends object>(entity: new () => E): Operation<E>[] {
  const { operations } = resources.find((one) => (one.entity as unknown) === entity) as Resource
  return operations.filter(({ link }) => link)
}

/** The same for free text, over texts of which a member does not see one. */
const searched = new Resource(Employee, '/employees', [listOperation(), readOperation(), ...linked(Employee)], {
  hidden: { member: ['email'] },
  text: ['name', 'email', 'jobTitle'],
})
/** The same, but its rows are seen as another role would where they are another's. */
const viewed = new Resource(User, '/users', [listOperation(), readOperation(), ...linked(User)], {
  scope: { default: 'true' },
  hidden: { guest: ['email'] },
  viewedAs: ({ id }: User, { user, role }) => (id === user ? role : 'guest'),
  filters: { email: ['exact', 'partial', 'exists'], name: 'partial' },
})
const referred = resources.filter(({ entity }) => !([BankAccount, Employee, User] as unknown[]).includes(entity))
let role: Role = 'member'
let server: Server
beforeAll(async () => {
  const options = { ...apiOptions, ...config, languages: undefined }
  const engine = new Api([hiding, searched, viewed, ...referred] as Resource[], database, options)
  const authenticate = async () => ({ role, user: tenant.users[role as 'member'].id, tenant: organization.id })
  const app = express().use(engine.router({ authenticate }))
  app.use(((error, _request, response, _next) => engine.writeProblem(error, response)) as express.ErrorRequestHandler)
  server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, () => resolve(listening))
  })
})
beforeEach(() => {
  role = 'member'
})
afterAll(() => new Promise((resolve) => server.close(resolve)))
const ask = (path: string) => request(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).get(path)

test.each(['integration', 'currency', 'availableBalance', 'iban', 'name'])(
  'the engine lets no role ask by %s that does not see it',
  async (name) => {
    const plain = (await ask('/bank-accounts')).body
    expect(plain.member).toHaveLength(2)
    for (const query of waysToAsk(name)) {
      const { status, body } = await ask(`/bank-accounts?${query}`)
      expect([query, status, body.member]).toEqual([query, 200, plain.member])
      const strict = await ask(`/bank-accounts?${query}`).set('Prefer', 'handling=strict')
      expect([query, strict.status]).toEqual([query, 400])
    }
    expect(plain.search.template).toContain('createdAt%5Bbefore%5D')
    expect(decodeURIComponent(plain.search.template)).not.toMatch(new RegExp(`\\b${name}\\b`))
    role = 'admin'
    const { template } = (await ask('/bank-accounts')).body.search
    expect(decodeURIComponent(template)).toMatch(new RegExp(`\\b${name}\\b`))
  },
)

test('no order, and so no link, tells the values of a hidden property', async () => {
  const { body } = await ask('/bank-accounts?order[name]=desc&itemsPerPage=1')
  const cursor = new URL(body.view.next, 'http://x').searchParams.get('after') as string
  expect(JSON.parse(Buffer.from(cursor, 'base64url').toString())).toHaveLength(1)
})

test('a property that is hidden in some rows only is not asked by at all', async () => {
  const all = (await ask('/users')).body
  for (const query of [
    'email=secret@example.com',
    'email=x',
    'exists[email]=true',
    'exists[email]=false',
    'order[email]=asc',
  ])
    expect([query, (await ask(`/users?${query}`)).body.member]).toEqual([query, all.member])
})

test('free text is for roles that see every text that it looks at', async () => {
  const plain = (await ask('/employees')).body
  expect(plain.totalItems).toBeGreaterThan(0)
  expect((await ask('/employees?q=nothing')).body.member).toEqual(plain.member)
  expect((await ask('/employees?q=nothing').set('Prefer', 'handling=strict')).status).toBe(400)
  expect(plain.search.template).not.toMatch(/\bq\b/)
  role = 'admin'
  expect((await ask('/employees')).body.search.template).toMatch(/\bq\b/)
  expect((await ask('/employees?q=nothing')).body.totalItems).toBe(0)
})

test('properties[] shows a hidden property as null and a masked property masked', async () => {
  const { body } = await as(member).get(
    `/bank-accounts/${rows.BankAccount.id}?properties[]=integration&properties[]=iban`,
  )
  expect(body).toMatchObject({ integration: null, iban: 'PL61••…0000' })
})

const suffixes: Record<FilterKind, string[]> = {
  exact: ['', '[]'],
  caseless: ['', '[]'],
  upper: ['', '[]'],
  lower: ['', '[]'],
  partial: [''],
  reference: ['', '[]', '[0]'],
  boolean: [''],
  exists: [],
  date: ['[before]', '[after]', '[strictly_before]', '[strictly_after]'],
  range: ['[between]', '[gt]', '[gte]', '[lt]', '[lte]'],
}

function waysToAsk(name: string): string[] {
  const values = ['PL61109010140000', '0..9', 'not-a-value']
  const filters = [...new Set(Object.values(suffixes).flat())].map((suffix) => name + suffix)
  const asked = filters.map((variable) => `${variable}=${encodeURIComponent(integration)}`)
  return [
    ...asked,
    ...values.map((value) => `${name}=${encodeURIComponent(value)}`),
    `exists[${name}]=true`,
    `exists[${name}]=false`,
    `order[${name}]=asc`,
    `order[${name}]=desc`,
  ]
}
