import { access } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { Organization } from '../../entities/index.ts'
import type { Postgres } from '../../src/postgres/launcher.ts'
import { enqueue } from '../../src/queue/enqueue.ts'
import { eventually } from '../support/eventually.ts'
import { embedded, onDatabase, serverEnvironment } from '../support/processes/server-environment.ts'
import { PostgresProcess, ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { database, ending, organization, stripe } = await openWorld()

/**
 * SIGTERM must end the process while a service hangs, before a supervisor kills it. Postgres is killed or reached through a proxy
 * that stalls, Stripe hangs during a job, or a start waits for locks.
 */
const maxShutdownMs = 15_000

/** Sends SIGTERM. @returns the milliseconds until the process has ended */
async function terminate(service: ServerProcess): Promise<number> {
  const began = performance.now()
  process.kill(service.pid, 'SIGTERM')
  await service.ended()
  return performance.now() - began
}

/** A proxy in front of a Postgres that can stall. */
class Relay {
  private readonly sockets = new Set<Socket>()
  private hangs = false
  private server: Server | undefined
  port = 0

  async open({ host, port }: Pick<Postgres, 'host' | 'port'>): Promise<void> {
    const server = createServer((client) => {
      const socket = connect(`${host}/.s.PGSQL.${port}`)
      for (const one of [client, socket]) {
        this.sockets.add(one.on('error', () => {}))
        if (this.hangs) one.pause()
      }
      if (this.hangs) return
      client.pipe(socket).pipe(client)
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    this.port = (server.address() as { port: number }).port
    this.server = server
  }

  hang(): void {
    this.hangs = true
    for (const socket of this.sockets) socket.unpipe().pause()
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy()
    this.server?.close()
  }
}

const cluster = new PostgresProcess()
const proxies: Relay[] = []
beforeAll(() => cluster.start(), 60_000)
ending.unshift(async () => {
  for (const proxy of proxies) proxy.close()
  await cluster.remove()
})

async function proxied(): Promise<{ proxy: Relay; url: string }> {
  const proxy = new Relay()
  proxies.push(proxy)
  await proxy.open(cluster.postgres)
  const { user, database } = cluster.postgres
  return { proxy, url: `postgres://${user}@127.0.0.1:${proxy.port}/${database}` }
}

function serviceOf(environment: Record<string, string>): ServerProcess {
  const service = new ServerProcess({ ...serverEnvironment('hanging'), LOG_LEVEL: 'info', ...environment }, true)
  ending.unshift(() => service.close())
  return service
}

test('SIGTERM ends the server while Postgres hangs, with one process, with two, and during a start', async () => {
  const serving = await Promise.all(
    [1, 2].map(async (workers) => {
      const { proxy, url } = await proxied()
      const service = serviceOf({ ...onDatabase(url), WORKERS: String(workers) })
      await service.start()
      proxy.hang()
      for (let count = 0; count < 5; count++) fetch(`http://127.0.0.1:${service.port}/health/ready`).catch(() => {})
      return service
    }),
  )
  const { proxy, url } = await proxied()
  proxy.hang()
  const starting = serviceOf(onDatabase(url))
  starting.start().catch(() => {})
  await sleep(2000)
  for (const took of await Promise.all([...serving, starting].map(terminate))) expect(took).toBeLessThan(maxShutdownMs)
}, 120_000)

test('SIGTERM ends a start that waits for a lock in Postgres', async () => {
  const holder = new Client({ connectionString: cluster.url })
  holder.on('error', () => {})
  await holder.connect()
  // The locks of migrations and of the demo.
  for (const lock of [7_305_811, 7_305_812]) {
    await holder.query('SELECT pg_advisory_lock($1)', [lock])
    const service = serviceOf({ ...onDatabase(cluster.url), AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_JWKS_URL: '' })
    service.start().catch(() => {})
    await eventually(
      async () => {
        // A start asks for the lock of migrations again and again, and waits in the statement for that of the demo.
        const { rows } = await holder.query(
          `SELECT FROM pg_stat_activity WHERE "query" LIKE 'SELECT pg_try_advisory_lock%' AND "pid" <> pg_backend_pid()
            UNION ALL SELECT FROM pg_locks WHERE "locktype" = 'advisory' AND NOT "granted"`,
        )
        expect(rows).toHaveLength(1)
      },
      undefined,
      30,
    )
    expect(await terminate(service)).toBeLessThan(5000)
    await holder.query('SELECT pg_advisory_unlock($1)', [lock])
  }
  await holder.end()
}, 120_000)

test('SIGTERM ends the server while a job waits for Stripe', async () => {
  const service = serviceOf({})
  await service.start()
  stripe.fault({ kind: 'slow', ms: 60_000, times: 100 })
  // The job of a customer that no organization has ends without a request to Stripe.
  await database.manager.update(Organization, organization.id, {
    stripeCustomerId: 'cus_hanging',
    manualBilling: false,
  })
  await enqueue(database, 'followCustomer', { customer: 'cus_hanging' })
  await eventually(
    () => database.query(`SELECT FROM graphile_worker.jobs WHERE "locked_at" IS NOT NULL`),
    (found) => expect(found).toHaveLength(1),
  )
  expect(await terminate(service)).toBeLessThan(maxShutdownMs)
  stripe.clearFaults()
}, 120_000)

test('SIGTERM ends the server after Postgres was killed', async () => {
  const service = serviceOf(onDatabase(cluster.url))
  await service.start()
  await cluster.kill()
  await sleep(500)
  expect(await terminate(service)).toBeLessThan(maxShutdownMs)
}, 120_000)

test('SIGTERM during a first start leaves no Postgres behind', async () => {
  const own = new PostgresProcess()
  await own.start()
  const { directory } = own.postgres
  await own.postgres.stop()
  for (const milliseconds of [500, 1000, 1500]) {
    const service = serviceOf({ ...embedded, DATA_DIR: dirname(directory) })
    service.start().catch(() => {})
    await sleep(milliseconds)
    expect(await terminate(service)).toBeLessThan(maxShutdownMs)
    await expect(access(join(directory, 'postmaster.pid'))).rejects.toThrow('ENOENT')
  }
  await own.remove()
}, 120_000)
