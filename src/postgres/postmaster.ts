import { spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { StartError } from '../start/start-error.ts'
import { type Account, canEnter, childEnvironment, digest, makeOwnedFolder, ownAccount, runAs } from './account.ts'
import { type DatabaseCluster, superuser } from './database-cluster.ts'

/** The connection by which we hold the server: it keeps others from stopping it, but not this process from ending. */
export type Lease = Client & { ref(): void; unref(): void }

export const port = 5432

/** Milliseconds that a start, a recovery or a stop may take. */
const patience = 60_000

/** The advisory lock that every launched process shares; who gets it alone is the last one. */
export const leaseLockId = 5_432_001

/** The application name of the connections that hold a share, which are not use. */
export const leaseApplicationName = 'organization launcher'

/**
 * Joins the server of these data, and starts it whenever there is none.
 * @param signal has a server that is starting shut down again
 */
export async function joinOrStart(
  cluster: DatabaseCluster,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<Lease> {
  const began = Date.now()
  let attempt: Attempt | undefined
  while (Date.now() - began < patience) {
    if (signal?.aborted) {
      attempt?.abandon()
      throw signal.reason
    }
    const { alive, pid, host } = await readPostmaster(cluster.data)
    if (alive) {
      const hold = host && (await acquireLease(host, cluster.data))
      if (hold) {
        log(`Postgres ${cluster.tools.version} ${attempt ? 'started' : 'joined'}, its data in ${cluster.data}`)
        return hold
      }
    } else if (!attempt) {
      attempt = await start(cluster, pid)
    } else if (attempt.ended) {
      const said = (await readFile(cluster.output)).subarray(attempt.offset).toString()
      if (!/lock file|shared memory block/.test(said)) throw failure(attempt.ended, said, cluster)
      attempt = undefined
    }
    await sleep(20)
  }
  throw failure(`it took more than ${patience / 1000} s`, await readFile(cluster.output, 'utf8'), cluster)
}

function failure(reason: string, said: string, { output }: DatabaseCluster): StartError {
  const fatal = [...said.matchAll(/(?:FATAL|PANIC): +(.+)/g)].at(-1)?.[1]
  return new StartError(`Postgres did not start: ${fatal ?? reason}. Its log ${output} says more.`)
}

/** What the lock file says, and whether it is true: after a crash its process id may be a zombie's or a stranger's. */
export async function readPostmaster(data: string): Promise<{ alive: boolean; pid?: string; host?: string }> {
  const file = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , , host] = file.split('\n')
  return { alive: Boolean(pid) && (await serves(pid, data)), pid, host }
}

/** A postmaster is known by its arguments, which everybody may read and a zombie has lost. */
async function serves(pid: string, data: string): Promise<boolean> {
  const shown =
    process.platform === 'linux'
      ? readFile(`/proc/${pid}/cmdline`, 'utf8')
      : runAs('ps', ['-o', 'command=', '-p', pid], ownAccount)
  return (await shown.catch(() => '')).replaceAll('\0', ' ').includes(`-D ${data} `)
}

/** Connects and takes a share in the server; undefined while it is starting, stopping, or somebody else's. */
export async function acquireLease(host: string, data: string): Promise<Lease | undefined> {
  const client = new Client({
    host,
    port,
    user: superuser,
    database: 'postgres',
    ssl: false,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
    application_name: leaseApplicationName,
  }) as Lease
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query('show data_directory')
    if (rows[0].data_directory !== data) throw new Error(`The server at ${host} is another one.`)
    await client.query('select pg_advisory_lock_shared($1)', [leaseLockId])
    return client
  } catch {
    await client.end().catch(() => {})
    return undefined
  }
}

interface Attempt {
  offset: number
  ended?: string
  abandon(): void
}

/** Starts the server in a session of its own, where Ctrl-C does not reach it. */
async function start({ data, output, account, tools, settings }: DatabaseCluster, stale?: string): Promise<Attempt> {
  const flags = Object.entries({
    listen_addresses: '',
    unix_socket_directories: await socketFor(data, account),
    port: String(port),
    timezone: 'UTC',
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const file = await open(output, 'a')
  const { size } = await file.stat()
  const child = spawn(tools.postgres, ['-D', data, ...flags], {
    ...account,
    cwd: '/',
    // The process id of a lock file that Postgres may take over; it still checks that no backend is left over.
    env: { ...childEnvironment, PG_GRANDPARENT_PID: stale },
    detached: true,
    stdio: ['ignore', file.fd, file.fd],
  })
  const attempt: Attempt = { offset: size, abandon: () => child.kill('SIGINT') }
  child.once('error', ({ message }) => {
    attempt.ended = message
  })
  child.once('exit', (code, signal) => {
    attempt.ended = `it ended with ${signal ?? code}`
  })
  child.unref()
  await file.chown(account.uid, account.gid)
  await file.close()
  return attempt
}

/** A socket's path has at most 103 bytes, so it is not in the data; its folder admits the account alone. */
async function socketFor(data: string, account: Account): Promise<string> {
  const name = `organization-postgres-${digest(`${account.uid} ${data}`)}`
  const fits = Buffer.byteLength(join(tmpdir(), name, `.s.PGSQL.${port}`)) <= 103
  return makeOwnedFolder(join(fits && (await canEnter(account, tmpdir())) ? tmpdir() : '/tmp', name), 0o700, account)
}

/** The "fast" way down: rolls back what is open, writes what is committed. */
export async function stopPostmaster(pid: string, data: string, output: string): Promise<void> {
  const began = Date.now()
  process.kill(Number(pid), 'SIGINT')
  while (await serves(pid, data)) {
    if (Date.now() - began > patience) throw new Error(`Postgres (${pid}) does not stop: see ${output}`)
    await sleep(20)
  }
}
