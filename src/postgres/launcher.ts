import { rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeDataDirectory } from '../start/data-directory.ts'
import { quote } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'
import { accountFor } from './account.ts'
import { findBinaries } from './binaries.ts'
import { clusterFolder, type DatabaseCluster, initializeCluster, superuser } from './database-cluster.ts'
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

/** A running Postgres: where to connect, and how to let go of it. */
export interface Postgres {
  /** The folder of its unix socket: it opens no port. */
  host: string
  /** Only names the socket; to be passed on, or else a PGPORT in the environment would name another. */
  port: number
  user: string
  database: string
  /** Where the data really lie. */
  directory: string
  /** The last one out stops the server. */
  stop(): Promise<void>
}

interface Options {
  pgbin?: string
  database?: string
  log?: (line: string) => void
  settings?: Record<string, string>
  /** Gives up a start that is not complete. */
  signal?: AbortSignal
  /** Has Postgres started again when it ends, and is called once that has failed too often. */
  onLost?: (error: Error) => void
}

/** Bytes: Postgres has room for paths of 1023, those of its files below the directory included. */
const longest = 900

/** Starts (or joins) the Postgres whose data lie under `directory`. */
export async function launch(directory: string, options: Options = {}): Promise<Postgres> {
  if (process.platform === 'win32') {
    throw new StartError('The embedded Postgres runs on Linux and macOS only: on Windows, set DATABASE_URL.')
  }
  const { database = 'organization', log = () => {}, settings = {}, pgbin, signal, onLost } = options
  await makeDataDirectory(directory)
  if (Buffer.byteLength(directory) > longest)
    throw new StartError(
      `DATA_DIR is ${quote(directory)}, which is too long for Postgres: set one of at most ${longest} bytes.`,
    )
  const account = await accountFor(directory)
  const tools = await findBinaries(account, pgbin && resolve(pgbin), log)
  const home = await clusterFolder(directory, account, log)
  const data = join(home, `postgres-${tools.major}`)
  const cluster = { data, output: `${data}.log`, account, tools, settings }

  await initializeCluster(cluster, log)
  const hold = await joinOrStart(cluster, log, signal)
  const keeper = onLost && new PostgresSupervisor(hold, cluster, log, onLost)
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= Promise.resolve(keeper?.stop() ?? hold).then((held) => leave(held, cluster))
    return stopped
  }
  await create(database, hold).catch(async (error) => {
    await stop()
    throw error
  })
  hold.unref()
  return { host: hold.host, port, user: superuser, database, directory: data, stop }
}

async function create(database: string, hold: Lease): Promise<void> {
  const { rowCount } = await hold.query('select from pg_database where datname = $1', [database])
  if (rowCount) return
  await hold.query(`create database ${hold.escapeIdentifier(database)}`).catch((error) => {
    const createdMeanwhile = ['42P04', '23505'].includes(error.code)
    if (!createdMeanwhile) throw error
  })
}

/** Gives up our share; whoever then gets the lock alone is the last, unless somebody uses the server without a share. */
async function leave(lent: Lease, { data, output }: DatabaseCluster): Promise<void> {
  lent.ref()
  const hold = (await answers(lent)) ? lent : await acquireLease(lent.host, data)
  if (!hold) return
  try {
    await hold.query('select pg_advisory_unlock_shared($1)', [leaseLockId])
    const { rows } = await hold.query('select pg_try_advisory_lock($1) as alone', [leaseLockId])
    const { pid } = await readPostmaster(data)
    if (pid && rows[0].alone && (await deserted(hold))) await stopPostmaster(pid, data, output)
  } finally {
    await Promise.race([hold.end().catch(() => {}), sleep(1000, undefined, { ref: false })])
    await rmdir(hold.host).catch(() => {})
  }
}

/** A crash of the server, or of one of its backends, costs us our connection. */
async function answers(hold: Lease): Promise<boolean> {
  return hold.query('select').then(
    () => true,
    () => false,
  )
}

/** A pool that has just been ended takes a moment to be gone. */
async function deserted(hold: Lease): Promise<boolean> {
  const others = `select from pg_stat_activity where backend_type = 'client backend' and application_name <> '${leaseApplicationName}'`
  for (let tries = 0; tries < 20; tries++) {
    if (!(await hold.query(others)).rowCount) return true
    await sleep(25)
  }
  return false
}
