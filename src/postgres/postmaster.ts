import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import {
  type Account,
  canEnter,
  childEnvironment,
  digest,
  makeOwnedFolder,
  ownAccount,
  runAs,
} from '../start/accounts.ts'
import { StartError } from '../start/start-error.ts'
import { type DatabaseCluster, superuser } from './database-cluster.ts'

/** A connection with a shared lock that keeps other processes from stopping Postgres. It does not keep this process alive. */
export type Lease = Client & { ref(): void; unref(): void }

export const port = 5432

/** The limit for a start, a recovery or a stop. */
const timeoutMs = 60_000

/** The advisory lock that every lease shares. The process that gets it exclusively is the last one. */
export const leaseLockId = 5_432_001

/** Tells the connections of leases from those of clients. */
export const leaseApplicationName = 'organization launcher'

/**
 * Joins the Postgres of a cluster, and starts it where none runs.
 * @param signal cancels the start and shuts a starting Postgres down
 */
export async function joinOrStart(
  cluster: DatabaseCluster,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<Lease> {
  const began = Date.now()
  let attempt: StartAttempt | undefined
  while (Date.now() - began < timeoutMs) {
    if (signal?.aborted) {
      await attempt?.cancel()
      throw signal.reason
    }
    const { alive, pid, host } = await readPostmaster(cluster.data)
    if (alive) {
      const lease = host && (await acquireLease(host, cluster.data))
      if (lease) {
        log(`${attempt ? 'Started' : 'Joined'} Postgres ${cluster.binaries.version} with its data in ${cluster.data}.`)
        return lease
      }
    } else if (!attempt) {
      attempt = await start(cluster, pid)
    } else if (attempt.ended) {
      const lines = (await readFile(cluster.logFile)).subarray(attempt.logOffset).toString()
      if (!/lock file|shared memory block/.test(lines)) throw startFailure(attempt.ended, lines, cluster)
      attempt = undefined
    }
    await sleep(20)
  }
  throw startFailure(`it took more than ${timeoutMs / 1000} s`, await readFile(cluster.logFile, 'utf8'), cluster)
}

function startFailure(reason: string, lines: string, { logFile }: DatabaseCluster): StartError {
  const fatal = [...lines.matchAll(/(?:FATAL|PANIC): +(.+)/g)].at(-1)?.[1]
  return new StartError(`Postgres did not start: ${fatal ?? reason}. Read its log ${logFile}.`)
}

/** Reads the lock file of a cluster, and checks it: after a crash its process id may belong to a zombie or to another program. */
export async function readPostmaster(data: string): Promise<{ alive: boolean; pid?: string; host?: string }> {
  const file = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , , host] = file.split('\n')
  return { alive: Boolean(pid) && (await isPostmasterOf(pid, data)), pid, host }
}

/** Recognizes a postmaster by its arguments: every user can read them, and a zombie has none. */
async function isPostmasterOf(pid: string, data: string): Promise<boolean> {
  const command =
    process.platform === 'linux'
      ? readFile(`/proc/${pid}/cmdline`, 'utf8')
      : runAs('ps', ['-o', 'command=', '-p', pid], ownAccount)
  return (await command.catch(() => '')).replaceAll('\0', ' ').includes(`-D ${data} `)
}

/** Connects and takes the shared lock; undefined while Postgres starts or stops, or where it serves another cluster. */
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
    if (rows[0].data_directory !== data)
      throw new Error(`The Postgres at ${host} serves ${rows[0].data_directory}, not ${data}.`)
    await client.query('select pg_advisory_lock_shared($1)', [leaseLockId])
    return client
  } catch {
    await client.end().catch(() => {})
    return undefined
  }
}

interface StartAttempt {
  /** The size of the log file before the attempt, in bytes. */
  logOffset: number
  /** Why Postgres ended, if it did. */
  ended?: string
  /** Stops a Postgres that is starting, and waits until it has ended. */
  cancel(): Promise<void>
}

/**
 * Starts Postgres in its own session, where Ctrl-C does not reach it.
 * @param stalePid the process id in a lock file that is left over
 */
async function start(cluster: DatabaseCluster, stalePid?: string): Promise<StartAttempt> {
  const { data, logFile, account, binaries, settings } = cluster
  const flags = Object.entries({
    listen_addresses: '',
    unix_socket_directories: await socketFolder(data, account),
    port: String(port),
    timezone: 'UTC',
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const file = await open(logFile, 'a')
  const { size } = await file.stat()
  const child = spawn(binaries.postgres, ['-D', data, ...flags], {
    ...account,
    cwd: '/',
    // Postgres may take over the lock file of this process id. It still checks that no backend is left.
    env: { ...childEnvironment, PG_GRANDPARENT_PID: stalePid },
    detached: true,
    stdio: ['ignore', file.fd, file.fd],
  })
  const attempt: StartAttempt = {
    logOffset: size,
    async cancel() {
      if (attempt.ended) return
      child.ref()
      child.kill('SIGINT')
      await once(child, 'exit')
    },
  }
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

/**
 * The folder of the socket, which only the account can open. A socket's path has at most 103 bytes (macOS), so it lies outside
 * the data.
 */
async function socketFolder(data: string, account: Account): Promise<string> {
  const name = `organization-postgres-${digest(`${account.uid} ${data}`)}`
  const fits = Buffer.byteLength(join(tmpdir(), name, `.s.PGSQL.${port}`)) <= 103
  return makeOwnedFolder(join(fits && (await canEnter(account, tmpdir())) ? tmpdir() : '/tmp', name), 0o700, account)
}

/** Sends the signal for a "fast" shutdown, which rolls open transactions back, and waits until Postgres has ended. */
export async function stopPostmaster(pid: string, data: string, logFile: string): Promise<void> {
  const began = Date.now()
  process.kill(Number(pid), 'SIGINT')
  while (await isPostmasterOf(pid, data)) {
    if (Date.now() - began > timeoutMs)
      throw new Error(`Postgres (process ${pid}) did not stop within ${timeoutMs / 1000} s. Read its log ${logFile}.`)
    await sleep(20)
  }
}
