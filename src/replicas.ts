import { Pool, type PoolClient } from 'pg'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { replicaOptions } from '../ormconfig.ts'
import { closePool, hear } from './database.ts'
import type { Replicas } from './hydra/sql.ts'

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

interface Replica {
  pool: Pool
  /** Until when it is left alone. */
  absent: number
}

/** Reads from replicas by turns, from each only where it has everything that is written; else from the primary. */
export function openReplicas(
  database: DataSource,
  { replicas: urls, pool: size }: { replicas: string[]; pool: number },
  log: Logger,
): Replicas & { close(): Promise<void> } {
  const { master: primary } = database.driver as PostgresDriver
  const replicas: Replica[] = urls.map((url) => ({ pool: new Pool(replicaOptions(url, size)), absent: 0 }))
  for (const { pool } of replicas) hear(pool)
  let turns = 0

  /** A connection to the replica whose turn it is, if that may be read from. */
  const borrow = async (): Promise<PoolClient | undefined> => {
    const number = turns++ % replicas.length
    const replica = replicas[number]
    const { pool, absent } = replica
    if (absent > Date.now() || (pool.idleCount === 0 && pool.totalCount >= size)) return undefined
    const { rows } = await primary.query({ name: 'replicas:reached', text: reached })
    const [{ at, system, timeline }] = rows
    let client: PoolClient | undefined
    try {
      client = (await pool.connect()) as PoolClient
      const asked = { name: 'replicas:follows', text: follows, values: [at, system, timeline], query_timeout: patience }
      if ((await client.query(asked)).rows[0].follows) return client
      client.release()
    } catch (error) {
      client?.release(true)
      replica.absent = Date.now() + rest
      log.warn({ err: error, replica: number + 1 }, 'a replica does not answer, so the primary is read')
    }
    return undefined
  }

  return {
    async read(work) {
      const client = await borrow().catch(() => undefined)
      if (!client) return work(primary)
      try {
        const found = await work(client)
        client.release()
        return found
      } catch (error) {
        client.release(true)
        // What takes too long there takes as long here.
        if ((error as { code?: string }).code === '57014') throw error
        return work(primary)
      }
    },
    async close() {
      await Promise.all(replicas.map(({ pool }) => closePool(pool, () => pool.end())))
    },
  }
}
