import pg, { Pool, type PoolClient } from 'pg'
import type { Logger } from 'pino'
import { replicaPoolOptions } from '../../ormconfig.ts'
import type { Executor } from '../hydra/model/store.ts'
import { FairPool } from '../hydra/store/fair-pool.ts'
import type { Replicas } from '../hydra/store/statement.ts'
import { isCollationCurrent } from '../postgres/collation-check.ts'
import { closePool, surviveConnectionErrors } from '../postgres/connection-errors.ts'

/** How long, in milliseconds, one that failed is left alone, and how long it may take to say how far it is. */
const [rest, patience] = [5000, 500]

/**
 * How far the primary has come: all that anybody has been told is written lies before that. What is not flushed yet counts
 * where the primary answers before it flushes.
 */
const reached = `
  SELECT "system_identifier"::text AS "system", "at"::text, left(pg_walfile_name("at"), 8) AS "timeline"
    FROM pg_control_system(), (SELECT CASE current_setting('synchronous_commit')
      WHEN 'off' THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END AS "at") AS "now"`

/** Whether a server is a replica of that primary which has come as far. */
const follows = `
  SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= $1::pg_lsn AND "system_identifier"::text = $2
      AND lpad(upper(to_hex("timeline_id")), 8, '0') = $3 AS "follows"
    FROM pg_control_system(), pg_control_checkpoint()`

/** Whether a server orders names as the primary does: it may have another version of ICU. */
const alike = `SELECT ${isCollationCurrent} AS "alike"`

type Work<T> = (executor: Executor) => Promise<T>

interface Replica {
  shares: FairPool
  /** Until when it is left alone. */
  absent: number
}

/** Reads from replicas by turns, from each only where it has everything that is written; else from the primary. */
export function openReplicas(
  primary: FairPool,
  { replicas: urls, pool: size }: { replicas: string[]; pool: number },
  log: Logger,
): Replicas & { close(): Promise<void> } {
  const replicas: Replica[] = urls.map((url) => {
    const pool = new Pool(replicaPoolOptions(url, size))
    surviveConnectionErrors(pool)
    return { shares: new FairPool(pool, { name: 'lists', waiting: 0 }), absent: 0 }
  })
  let turns = 0
  const checked = new WeakSet<PoolClient>()

  const passOver = (replica: Replica, why: string, error?: unknown): void => {
    replica.absent = Date.now() + rest
    log.warn({ err: error, replica: replicas.indexOf(replica) + 1 }, why)
  }

  /** Asked once of each connection: a server that runs keeps its ICU. */
  const isAlike = async (client: PoolClient): Promise<boolean> => {
    if (checked.has(client)) return true
    const asked = { text: alike, query_timeout: patience }
    if (!(await client.query(asked)).rows[0].alike) return false
    checked.add(client)
    return true
  }

  /** A connection to a replica, if that may be read from. */
  const borrow = async (tenant: string, replica: Replica): Promise<PoolClient | undefined> => {
    const asked = { name: 'replicas:reached', text: reached, values: [], types: pg.types }
    const { rows } = await primary.run(tenant, (executor) => executor.query(asked))
    const [{ at, system, timeline }] = rows
    let client: PoolClient | undefined
    try {
      client = await replica.shares.pool.connect()
      const asked = { name: 'replicas:follows', text: follows, values: [at, system, timeline], query_timeout: patience }
      const same = await isAlike(client)
      if (same && (await client.query(asked)).rows[0].follows) return client
      client.release()
      if (!same) passOver(replica, 'a replica orders names by another version of ICU, so the primary is read')
    } catch (error) {
      client?.release(true)
      passOver(replica, 'a replica does not answer, so the primary is read', error)
    }
    return undefined
  }

  /** What a replica gives; undefined where the primary is to be read instead. */
  const readFrom = async <T>(tenant: string, replica: Replica, work: Work<T>): Promise<{ found: T } | undefined> => {
    const client = await borrow(tenant, replica).catch(() => undefined)
    if (!client) return undefined
    try {
      const found = await work(client)
      client.release()
      return { found }
    } catch (error) {
      client.release(true)
      // What takes too long there takes as long here.
      if ((error as { code?: string }).code === '57014') throw error
      return undefined
    }
  }

  return {
    async run(tenant, work) {
      const replica = replicas[turns++ % replicas.length]
      const read =
        replica.absent > Date.now() ? undefined : replica.shares.runNow(tenant, () => readFrom(tenant, replica, work))
      const copied = await read
      return copied ? copied.found : primary.run(tenant, work)
    },
    async close() {
      await Promise.all(replicas.map(({ shares: { pool } }) => closePool(pool, () => pool.end())))
    },
  }
}
