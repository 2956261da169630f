import { rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeDataDirectory } from '../start/data-directory.ts'
import { quote } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'
import { findBinaries } from './binaries.ts'
import { clusterFolder, type DatabaseCluster, initializeCluster, serverRole, superuser } from './database-cluster.ts'
import { accountFor } from './postgres-account.ts'
import {
  acquireLease,
  joinOrStart,
  type Lease,
  leaseApplicationName,
  leaseLockId,
  port,
  readPostmaster,
  stopPostmaster,
} from './postmaster.ts'
import { PostgresSupervisor } from './supervisor.ts'

/** A running Postgres: its address, and how to release it. */
export interface Postgres {
  /** The folder of its unix socket. It opens no TCP port. */
  host: string
  /** Part of the socket's name. Clients must pass it, because a PGPORT in their environment would replace it. */
  port: number
  /** The role that owns the database. */
  user: string
  /** The role for the server's connections. */
  serverRole: string
  database: string
  /** The folder of the data, which can lie outside DATA_DIR. */
  directory: string
  /** Releases this process's lease. The last process to do so stops Postgres. */
  stop(): Promise<void>
}

interface Options {
  pgbin?: string
  database?: string
  log?: (line: string) => void
  settings?: Record<string, string>
  /** Cancels a start that is not complete. */
  signal?: AbortSignal
  /** Turns on restarts after a crash. It is called when too many restarts have failed. */
  onLost?: (error: Error) => void
}

/** Postgres allows paths of 1023 bytes, including those of its files below the directory. */
const maxPathBytes = 900

/** Starts the Postgres whose data lie under `directory`, or joins it where it runs already. */
export async function launch(directory: string, options: Options = {}): Promise<Postgres> {
  if (process.platform === 'win32') {
    throw new StartError('The embedded Postgres runs on Linux and macOS only. On Windows, set DATABASE_URL.')
  }
  const { database = 'organization', log = () => {}, settings = {}, pgbin, signal, onLost } = options
  await makeDataDirectory(directory)
  if (Buffer.byteLength(directory) > maxPathBytes)
    throw new StartError(
      `DATA_DIR is ${quote(directory)}, which is too long for Postgres. Set a path of at most ${maxPathBytes} bytes.`,
    )
  const account = await accountFor(directory)
  const binaries = await findBinaries(account, pgbin && resolve(pgbin), log)
  const folder = await clusterFolder(directory, account, log)
  const data = join(folder, `postgres-${binaries.major}`)
  const cluster = { data, logFile: `${data}.log`, account, binaries, settings }

  await initializeCluster(cluster, log)
  const lease = await joinOrStart(cluster, log, signal)
  const supervisor = onLost && new PostgresSupervisor(lease, cluster, log, onLost)
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= Promise.resolve(supervisor?.stop() ?? lease).then((current) => release(current, cluster))
    return stopped
  }
  await createDatabase(database, lease).catch(async (error) => {
    await stop()
    throw error
  })
  lease.unref()
  return { host: lease.host, port, user: superuser, serverRole, database, directory: data, stop }
}

async function createDatabase(database: string, lease: Lease): Promise<void> {
  const roles = await lease.query('select from pg_roles where rolname = $1', [serverRole])
  if (!roles.rowCount) await create(`role ${serverRole} login`, lease)
  const databases = await lease.query('select from pg_database where datname = $1', [database])
  if (!databases.rowCount) await create(`database ${lease.escapeIdentifier(database)}`, lease)
}

/** Creates an object, unless another process has created it meanwhile. */
async function create(object: string, lease: Lease): Promise<void> {
  await lease.query(`create ${object}`).catch((error) => {
    if (!['42P04', '42710', '23505'].includes(error.code)) throw error
  })
}

/** Gives the lease back. Postgres stops when no other process holds a lease and no client is connected. */
async function release(held: Lease, { data, logFile }: DatabaseCluster): Promise<void> {
  held.ref()
  const lease = (await isConnected(held)) ? held : await acquireLease(held.host, data)
  if (!lease) return
  try {
    await lease.query('select pg_advisory_unlock_shared($1)', [leaseLockId])
    const { rows } = await lease.query('select pg_try_advisory_lock($1) as last', [leaseLockId])
    const { pid } = await readPostmaster(data)
    if (pid && rows[0].last && (await hasNoClients(lease))) await stopPostmaster(pid, data, logFile)
  } finally {
    await Promise.race([lease.end().catch(() => {}), sleep(1000, undefined, { ref: false })])
    await rmdir(lease.host).catch(() => {})
  }
}

/** A crash of Postgres, or of one of its backends, ends the connection of the lease. */
async function isConnected(lease: Lease): Promise<boolean> {
  return lease.query('select').then(
    () => true,
    () => false,
  )
}

/** Asks for half a second, because the connections of a pool that has just ended take a moment to disappear. */
async function hasNoClients(lease: Lease): Promise<boolean> {
  const clients = `select from pg_stat_activity
    where backend_type = 'client backend' and application_name <> '${leaseApplicationName}'`
  for (let tries = 0; tries < 20; tries++) {
    if (!(await lease.query(clients)).rowCount) return true
    await sleep(25)
  }
  return false
}
