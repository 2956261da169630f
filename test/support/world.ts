import { randomBytes } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { Client } from 'pg'
import { pino } from 'pino'
import request, { type Test } from 'supertest'
import { Organization, OrganizationAddress, OrganizationUser, User } from '../../entities/index.ts'
import { catalogue } from '../../entities/organization-module.ts'
import { connectTo } from '../../ormconfig.ts'
import { type Claims, ownIssuer } from '../../src/access/token-issuer-keys.ts'
import { createApp } from '../../src/app.ts'
import { Banking } from '../../src/banking/banking.ts'
import { readKeys } from '../../src/banking/secrets.ts'
import { Billing } from '../../src/billing/billing.ts'
import { startLocalKontomatik } from '../../src/emulators/kontomatik/server.ts'
import { startLocalStripe } from '../../src/emulators/stripe/server.ts'
import { insertRow, stopThreads } from '../../src/hydra/index.ts'
import { openMailer } from '../../src/mail/mailer.ts'
import { survivePoolErrors } from '../../src/runtime/database.ts'
import { createHttpServer } from '../../src/runtime/http/http-server.ts'
import { defaultSets } from '../../src/workspace/defaults.ts'

const { host, port, user, directory } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
const name = `test_${process.pid}_${Date.now()}`

/** A database of this test file's own, copied from the migrated template. */
await administer(`CREATE DATABASE "${name}" TEMPLATE "template"`)
export const database = await connectTo({ host, port, username: user, database: name }, 10).initialize()
survivePoolErrors(database)

const free = await freePort()

/** Where the server of this test file listens, and what its absolute links start with. */
export const publicUrl = `http://127.0.0.1:${free}`

export const issuer = await ownIssuer(publicUrl, join(directory, 'keys'))

/** Stripe, as this test file has it; events are delivered where it is told to. */
export const stripe = await startLocalStripe({ modules: catalogue })

export const billing = new Billing({
  secretKey: stripe.secretKey,
  publishableKey: stripe.publishableKey,
  webhookSecrets: [stripe.webhookSecret],
  url: stripe.url,
  retryDelayMs: 50,
})

/** Kontomatik, as this test file has it: imports take some hundredths of a second, and nobody waits for long. */
export const kontomatik = await startLocalKontomatik({ importMs: 40 })

/** What seals in this test file. */
export const secretKeys = readKeys(randomBytes(32).toString('base64'))

export const banking = new Banking({
  url: kontomatik.url,
  apiKey: kontomatik.apiKey,
  redirects: ['https://app.example/bank/return'],
  keys: secretKeys,
  timeoutMs: 2000,
  timing: { pollMs: 20, busyMs: 50, slotMs: 3000, importMs: 6000, requestMs: 300, revokeMs: 100 },
})

/** Whom jobs speak to outside; mails are kept in a folder. */
export const outside = {
  billing,
  banking,
  mailer: openMailer(undefined, join(directory, 'mail'), pino({ level: 'silent' })),
}

export const config = { publicUrl, corsOrigins: '*' as const, trustProxy: false, hydraPrefix: false }
export const app = createApp({
  config,
  database,
  billing,
  banking,
  issuer,
  log: pino({ level: 'silent' }),
  state: { draining: false },
})
const server = createHttpServer(app, publicUrl)
await new Promise<void>((resolve) => server.listen(free, '127.0.0.1', resolve))

/** What has to end before the database goes. */
export const ending: (() => Promise<void>)[] = []

afterAll(async () => {
  for (const end of ending) await end()
  await stopThreads()
  await stripe.stop()
  await kontomatik.stop()
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  await database.destroy()
  // The run removes its Postgres as a whole: a DROP DATABASE would wait for a checkpoint of all of it.
  await administer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`)
})

type Role = 'owner' | 'admin' | 'member'

/** A tenant with one user for each role, as its tests know it. */
export interface Tenant {
  organization: Organization
  users: Record<Role, User>
}

/** The organization that tests act in unless they say otherwise, and another that must stay hidden from it. */
export const tenant = await foundTenant('Acme', 'acme')
export const elsewhere = await foundTenant('Elsewhere', 'elsewhere')
export const organization = tenant.organization
export const operator = await person('operator', { operator: true })

/** Requests with a person's token: `as(tenant.users.member).get('/meetings')`. */
export interface Agent {
  get(path: string): Test
  head(path: string): Test
  options(path: string): Test
  post(path: string, body?: object): Test
  patch(path: string, body?: object): Test
  delete(path: string): Test
}

const tokens = new Map<string, Promise<string>>()

/** Asks as somebody; as nobody when no user is named. */
export function as(user?: User, claims: Partial<Claims> = {}): Agent {
  const send = (method: 'get' | 'head' | 'options' | 'post' | 'patch' | 'delete', path: string): Test => {
    const test = request(server)[method](path)
    if (!user) return test
    const end = test.end.bind(test)
    test.end = (callback) => {
      tokenOf(user, claims).then((token) => {
        if (!test.get('Authorization')) test.set('Authorization', `Bearer ${token}`)
        end(callback)
      })
      return test
    }
    return test
  }
  return {
    get: (path) => send('get', path),
    head: (path) => send('head', path),
    options: (path) => send('options', path),
    delete: (path) => send('delete', path),
    post: (path, body) => withBody(send('post', path), 'application/ld+json', body),
    patch: (path, body) => withBody(send('patch', path), 'application/merge-patch+json', body),
  }
}

/** The owner of the organization. */
export const api = as(tenant.users.owner)

/** A token for a user, good for an hour. */
export function tokenOf(user: User, claims: Partial<Claims> = {}): Promise<string> {
  const key = JSON.stringify([user.subject, claims])
  const token = tokens.get(key) ?? issuer.sign({ sub: user.subject, lifetime: 3600, ...claims })
  tokens.set(key, token)
  return token
}

/** Puts a row into the world: in the organization, unless another is named. */
export async function given<E extends object>(
  type: new () => E,
  values: Partial<E> & Record<string, unknown> = {},
): Promise<E> {
  const entity = Object.assign(new type(), { organizationId: organization.id }, values)
  for (const [key, value] of Object.entries(values))
    if (value !== null && typeof value === 'object' && 'id' in value) Object.assign(entity, { [`${key}Id`]: value.id })
  await insertRow(database.manager, entity)
  return entity
}

/** A user who belongs to nothing yet. */
export async function person(subject: string, values: Partial<User> = {}): Promise<User> {
  const user = Object.assign(new User(), { issuer: publicUrl, subject, name: subject, ...values })
  await insertRow(database.manager, user)
  return user
}

/** An organization with everything that one always has, and a user for each role. */
export async function foundTenant(name: string, slug: string, values: Partial<Organization> = {}): Promise<Tenant> {
  const organization = Object.assign(new Organization(), { name, slug, manualBilling: true, ...values })
  await insertRow(database.manager, organization)
  for (const piece of defaultSets())
    await insertRow(database.manager, Object.assign(piece, { organizationId: organization.id }))
  const users = {} as Record<Role, User>
  for (const role of ['owner', 'admin', 'member'] as const) {
    users[role] = await person(`${slug}-${role}`)
    const membership = { organizationId: organization.id, userId: users[role].id, name: users[role].name, role }
    await insertRow(database.manager, Object.assign(new OrganizationUser(), membership))
  }
  return { organization, users }
}

/** A billing address, without which nothing can be subscribed to. */
export function givenAddress(values: Partial<OrganizationAddress> = {}): Promise<OrganizationAddress> {
  const street = { kind: 'billing', name: 'Acme', street: 'Damrak', city: 'Amsterdam', countryId: 'NL' }
  return given(OrganizationAddress, { ...street, ...values })
}

/** A working hour on a spring morning. */
export const morning = { dateFrom: new Date('2026-04-01T08:00:00Z'), dateTo: new Date('2026-04-01T10:00:00Z') }

function withBody(test: Test, type: string, body: object | undefined): Test {
  return body === undefined ? test : test.set('Content-Type', type).send(JSON.stringify(body))
}

/** Absolute links name the port, so it must be known before the app is made. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

async function administer(sql: string): Promise<void> {
  const client = new Client({ host, port, user, database: 'postgres' })
  await client.connect()
  await client.query(sql)
  await client.end()
}
