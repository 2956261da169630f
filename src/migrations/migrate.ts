import { setTimeout as sleep } from 'node:timers/promises'
import { Logger, runMigrations } from 'graphile-worker'
import type { DataSource, QueryRunner } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { isPooled, withoutTimeouts } from '../../ormconfig.ts'
import { requireCurrentCollation } from '../postgres/collation-check.ts'
import { closeDatabase, survivePoolErrors } from '../postgres/connection-errors.ts'
import { requireSameDatabase, requireSessions } from '../postgres/session-check.ts'
import { requireCompatible } from './compatibility.ts'

/** graphile-worker logs each of its own migrations, which no operator needs to read. */
const silent = new Logger(() => () => {})

/** Any number will do, as long as every process takes the same. */
const lock = 7_305_811

/** Applies what is missing, however long that takes; of several processes that start at once, one does and the others wait. */
export async function migrate(database: DataSource, signal?: AbortSignal): Promise<void> {
  const unhurried = await withoutTimeouts(database).initialize()
  survivePoolErrors(unhurried)
  const close = () => closeDatabase(unhurried)
  signal?.addEventListener('abort', close)
  const runner = unhurried.createQueryRunner()
  try {
    await requireSessions(unhurried)
    if (isPooled(database)) await requireSameDatabase(database, unhurried)
    await takeLock(runner)
    await requireCompatible(unhurried)
    await requireCurrentCollation(unhurried)
    await unhurried.runMigrations()
    await runMigrations({ pgPool: (unhurried.driver as PostgresDriver).master, logger: silent })
  } finally {
    signal?.removeEventListener('abort', close)
    await runner.release()
    await close()
  }
}

const pollMs = 100

/**
 * Asks for the lock until it is free. A statement that waited for it would keep a snapshot, for whose end a CREATE INDEX
 * CONCURRENTLY of the holder waits: a deadlock.
 */
async function takeLock(runner: QueryRunner): Promise<void> {
  for (;;) {
    const [{ locked }] = await runner.query('SELECT pg_try_advisory_lock($1) AS "locked"', [lock])
    if (locked) return
    await sleep(pollMs)
  }
}
