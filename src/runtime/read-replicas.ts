import pg, { Pool, type PoolClient } from 'pg'
import type { Logger } from 'pino'
import { replicaPoolOptions } from '../../ormconfig.ts'
import { type Executor, FairPool } from '../hydra/index.ts'
import { isCollationCurrent } from '../postgres/collation-check.ts'
import { closePool, surviveConnectionErrors } from '../postgres/connection-errors.ts'

/** A replica that failed is not used for this time. */
const pauseMs = 5000

/** The limit for a replica to report its position. */
const timeoutMs = 500

/**
 * The primary's position in its write-ahead log: every acknowledged write lies before it. With `synchronous_commit = off` the
 * primary acknowledges writes before it flushes them, so the insert position counts.
 */
const primaryPosition = `
  SELECT "system_identifier"::text AS "system", "at"::text, left(pg_walfile_name("at"), 8) AS "timeline"
    FROM pg_control_system(), (SELECT CASE current_setting('synchronous_commit')
      WHEN 'off' THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END AS "at") AS "now"`

/** Whether a server is a replica of that primary and has replayed its log up to that position. */
const hasCaughtUp = `
  SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= $1::pg_lsn AND "system_identifier"::text = $2
      AND lpad(upper(to_hex("timeline_id")), 8, '0') = $3 AS "follows"
    FROM pg_control_system(), pg_control_checkpoint()`

/** Whether a server sorts names as the primary does. A replica can have another version of ICU. */
const sortsAlike = `SELECT ${isCollationCurrent} AS "alike"`

type Work<T> = (executor: Executor) => Promise<T>

interface Replica {
  fairPool: FairPool
  /** The replica is not used before this time. */
  pausedUntil: number
}

/** Read replicas, and how to close their connections. */
export type OpenReplicas = Pick<FairPool, 'run'> & { close(): Promise<void> }

/**
 * Reads from the replicas in turn. A replica is read only if it has every acknowledged write; otherwise the primary is read.
 */
export function openReplicas(
  primary: FairPool,
  { replicas: urls, pool: size, directUrl }: { replicas: string[]; pool: number; directUrl?: string },
  log: Logger,
): OpenReplicas {
  const replicas: Replica[] = urls.map((url) => {
    const { rowSecurity } = primary.pool.options as ReturnType<typeof replicaPoolOptions>
    const pool = new Pool(replicaPoolOptions(url, size, directUrl !== undefined, rowSecurity))
    surviveConnectionErrors(pool)
    return { fairPool: new FairPool(pool, { name: 'lists', waiting: 0 }), pausedUntil: 0 }
  })
  let turn = 0
  const checked = new WeakSet<PoolClient>()

  const pause = (replica: Replica, reason: string, error?: unknown): void => {
    replica.pausedUntil = Date.now() + pauseMs
    log.warn({ err: error, replica: replicas.indexOf(replica) + 1 }, reason)
  }

  /** Checked once for each connection: a running server keeps its version of ICU. */
  const sortsLikePrimary = async (client: PoolClient): Promise<boolean> => {
    if (checked.has(client)) return true
    const query = { text: sortsAlike, query_timeout: timeoutMs }
    if (!(await client.query(query)).rows[0].alike) return false
    checked.add(client)
    return true
  }

  /** A connection to a replica that can be read from; undefined where it cannot. */
  const borrow = async (tenant: string, replica: Replica): Promise<PoolClient | undefined> => {
    const query = { name: 'replicas:reached', text: primaryPosition, values: [], types: pg.types }
    const { rows } = await primary.run(tenant, (executor) => executor.query(query))
    const [{ at, system, timeline }] = rows
    let client: PoolClient | undefined
    try {
      client = await replica.fairPool.pool.connect()
      const values = [at, system, timeline]
      const query = { name: 'replicas:follows', text: hasCaughtUp, values, query_timeout: timeoutMs }
      const alike = await sortsLikePrimary(client)
      if (alike && (await client.query(query)).rows[0].follows) return client
      client.release()
      if (!alike) pause(replica, 'A replica sorts names with another version of ICU. Reading from the primary.')
    } catch (error) {
      client?.release(true)
      pause(replica, 'A replica does not answer. Reading from the primary.', error)
    }
    return undefined
  }

  /** Reads from a replica. @returns undefined where the primary must be read */
  const readFrom = async <T>(tenant: string, replica: Replica, work: Work<T>): Promise<{ found: T } | undefined> => {
    const client = await borrow(tenant, replica).catch(() => undefined)
    if (!client) return undefined
    try {
      const found = await work(client)
      client.release()
      return { found }
    } catch (error) {
      client.release(true)
      // A statement that took too long (57014) would take as long on the primary.
      if ((error as { code?: string }).code === '57014') throw error
      return undefined
    }
  }

  return {
    async run(tenant, work) {
      const replica = replicas[turn++ % replicas.length]
      const read =
        replica.pausedUntil > Date.now()
          ? undefined
          : replica.fairPool.runNow(tenant, () => readFrom(tenant, replica, work))
      const fromReplica = await read
      return fromReplica ? fromReplica.found : primary.run(tenant, work)
    },
    async close() {
      await Promise.all(replicas.map(({ fairPool: { pool } }) => closePool(pool, () => pool.end())))
    },
  }
}
