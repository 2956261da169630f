import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { Client } from 'pg'
import { pino } from 'pino'
import { DataSource } from 'typeorm'
import { OrganizationAddress } from '../../entities/index.ts'
import { catalogue } from '../../entities/organization-module.ts'
import { connectTo, ownerSource, database as shared } from '../../ormconfig.ts'
import { ownIssuer } from '../../src/access/token-issuer-keys.ts'
import { exportSource } from '../../src/api.ts'
import { auditDocuments, createApp } from '../../src/app.ts'
import { Banking } from '../../src/banking/banking.ts'
import { Billing } from '../../src/billing/billing.ts'
import { startLocalKontomatik } from '../../src/emulators/kontomatik/server.ts'
import { startLocalStripe } from '../../src/emulators/stripe/server.ts'
import { stopThreads } from '../../src/hydra/index.ts'
import { openMailer } from '../../src/mail/mailer.ts'
import { applyRowSecurity, survivePoolErrors } from '../../src/runtime/database.ts'
import { createHttpServer } from '../../src/runtime/http/http-server.ts'
import { readKeys } from '../../src/secrets/sealed-text.ts'
import { agentsOf } from './agents.ts'
import { openCluster } from './cluster.ts'
import { Pooler } from './pooler/pooler.ts'
import { freePort } from './processes/free-port.ts'
import { insertFor, tenantsOf } from './tenants.ts'

export type { Agent } from './agents.ts'
export type { Tenant } from './tenants.ts'

const { host, port, user, serverRole, directory } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')

/** A working hour on a spring morning. */
export const morning = { dateFrom: new Date('2026-04-01T08:00:00Z'), dateTo: new Date('2026-04-01T10:00:00Z') }

type World = Awaited<ReturnType<typeof open>>

let world: Promise<World> | undefined

/**
 * Opens the world of a test file once: a server on a database of its own, two tenants, Stripe and Kontomatik.
 * @param pooled whether the server reaches its database through a pooler; TEST_POOLER does that for all files
 */
export function openWorld({ pooled = Boolean(process.env.TEST_POOLER) } = {}): Promise<World> {
  world ??= open(pooled)
  return world
}

afterAll(async () => {
  if (world) await close(await world)
})

async function open(pooled: boolean) {
  const databaseName = `test_${process.pid}_${Date.now()}`
  const { served, database, directUrl, serverUrl, pooler } = await openDatabase(databaseName, pooled)
  for (const source of [served, database]) survivePoolErrors(source)

  const ownPort = await freePort()
  const publicUrl = `http://127.0.0.1:${ownPort}`
  const issuer = await ownIssuer(publicUrl, join(directory, 'keys'))
  const stripe = await startLocalStripe({ modules: catalogue })
  const billing = new Billing({
    secretKey: stripe.secretKey,
    publishableKey: stripe.publishableKey,
    webhookSecrets: [stripe.webhookSecret],
    url: stripe.url,
    retryDelayMs: 50,
  })
  const kontomatik = await startLocalKontomatik({ importMs: 40 })
  const secretKeys = readKeys(randomBytes(32).toString('base64'))
  const banking = new Banking({
    url: kontomatik.url,
    apiKey: kontomatik.apiKey,
    redirects: ['https://app.example/bank/return'],
    keys: secretKeys,
    timeoutMs: 2000,
    timing: { pollMs: 20, busyMs: 50, slotMs: 3000, importMs: 6000, requestMs: 300, revokeMs: 100 },
  })
  const log = pino({ level: 'silent' })
  const mailer = openMailer(undefined, join(directory, 'mail'), log)

  const config = {
    publicUrl,
    corsOrigins: '*' as const,
    trustProxy: false,
    hydraPrefix: false,
    webhookHosts: ['localhost'],
  }
  const services = { config, database: served, billing, banking, issuer, log, secretKeys, state: { draining: false } }
  const app = await createApp(services)
  const webhooks = { keys: secretKeys, allowedHosts: config.webhookHosts, documentOf: auditDocuments(services) }
  const server = createHttpServer(app, publicUrl)
  await once(server.listen(ownPort, '127.0.0.1'), 'listening')

  const { as, tokenOf } = agentsOf(server, issuer)
  const { person, foundTenant } = tenantsOf(database.manager, publicUrl)
  const tenant = await foundTenant('Acme', 'acme')
  const { organization } = tenant

  /** Inserts a row, for the organization unless another is named. */
  const given = <E extends object>(type: new () => E, values: Partial<E> & Record<string, unknown> = {}): Promise<E> =>
    insertFor(database.manager, organization, type, values)

  /** Inserts a billing address, which a subscription needs. */
  const givenAddress = (values: Partial<OrganizationAddress> = {}): Promise<OrganizationAddress> =>
    given(OrganizationAddress, {
      ...{ kind: 'billing', name: 'Acme', street: 'Damrak', city: 'Amsterdam', countryId: 'NL' },
      ...values,
    })

  return {
    /** The database for the test's own statements, as its owner, and the one of the server. */
    ...{ database, served },
    ...{ databaseName, directUrl, serverUrl, pooler, publicUrl, issuer, config, app, server },
    ...{ stripe, billing, kontomatik, banking, secretKeys },
    /** The arguments of `createApp`, for another server on the same database. */
    services,
    /** The services that jobs call; the mailer writes into a folder. */
    outside: { billing, banking, mailer, webhooks, exportSource: exportSource({ billing, banking }, config) },
    /** The organization that tests act in by default, and one that must stay hidden from it. */
    ...{ tenant, organization },
    elsewhere: await foundTenant('Elsewhere', 'elsewhere'),
    operator: await person('operator', { operator: true }),
    ...{ as, tokenOf, person, foundTenant, given, givenAddress },
    /** The owner of the organization. */
    api: as(tenant.users.owner),
    /** Ended before the database closes. */
    ending: [] as (() => Promise<void>)[],
  }
}

/** A copy of the migrated database, or the database of the cluster that CITUS_URL names. */
async function openDatabase(name: string, pooled: boolean) {
  const { CITUS_URL: cluster } = process.env
  if (cluster) {
    const database = await openCluster(cluster)
    return { served: database, database, directUrl: cluster, serverUrl: undefined, pooler: undefined }
  }
  // A test file whose world could not be opened leaves the DataSource of its worker connected.
  if (shared.isInitialized) await shared.destroy()
  await administer(`CREATE DATABASE "${name}" TEMPLATE "template"`)
  const [serverUrl, directUrl] = [serverRole, user].map(
    (role) => `postgres://${role}@localhost:${port}/${name}?host=${host}`,
  )
  const socket = join(host, `.s.PGSQL.${port}`)
  const pooler = pooled ? await new Pooler({ socket, user: serverRole, database: name }).open() : undefined
  const others = { owner: directUrl, ...(pooler && { direct: serverUrl }) }
  const served = await connect(connectTo({ url: pooler?.url ?? serverUrl }, 10, others))
  await applyRowSecurity(served)
  const own = { url: undefined, host, port, username: user, database: name }
  const options = { ...ownerSource(served).options, ...own } as DataSource['options']
  return { served, database: await connect(new DataSource(options)), directUrl, serverUrl, pooler }
}

/** Connects again where a busy machine takes longer than the limit of a server. */
async function connect(source: DataSource): Promise<DataSource> {
  for (let tries = 1; ; tries++)
    try {
      return await source.initialize()
    } catch (error) {
      if (tries === 5) throw error
    }
}

async function close({
  ending,
  stripe,
  kontomatik,
  server,
  served,
  database,
  databaseName,
  pooler,
}: World): Promise<void> {
  for (const end of ending) await end()
  await stopThreads()
  await stripe.stop()
  await kontomatik.stop()
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  for (const source of new Set([served, database])) await source.destroy()
  await pooler?.close()
  // The run removes its Postgres as a whole: a DROP DATABASE would wait for a checkpoint of all of it.
  await administer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${databaseName}'`)
}

async function administer(sql: string): Promise<void> {
  const client = new Client({ host, port, user, database: 'postgres' })
  // Without a listener, a Postgres that ends meanwhile would end the run; so the statement fails instead.
  client.on('error', () => {})
  await client.connect()
  await client.query(sql)
  await client.end()
}
