import { setTimeout as sleep } from 'node:timers/promises'
import type { DataSource, QueryRunner } from 'typeorm'
import { isPooled, withoutTimeouts } from '../../ormconfig.ts'
import { closeDatabase, survivePoolErrors } from '../postgres/connection-errors.ts'
import { requireSameDatabase, requireSessions } from '../postgres/session-check.ts'

/** Any number will do, as long as every process takes the same. */
const lock = 7_305_811

const pollMs = 100

/**
 * Works on the schema with connections without time limits, under a lock that ends with its connection.
 * A migration and a restore hold it alone; a backup and a start with nothing to migrate share it.
 * @param work gets the connection that holds the lock, and one more is free
 */
export async function withMigrationLock<T>(
  database: DataSource,
  mode: 'alone' | 'shared',
  work: (unhurried: DataSource, runner: QueryRunner) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const unhurried = await withoutTimeouts(database).initialize()
  survivePoolErrors(unhurried)
  const close = () => closeDatabase(unhurried)
  signal?.addEventListener('abort', close)
  const runner = unhurried.createQueryRunner()
  try {
    signal?.throwIfAborted()
    await requireSessions(unhurried)
    if (isPooled(database)) await requireSameDatabase(database, unhurried)
    await takeLock(runner, mode)
    return await work(unhurried, runner)
  } finally {
    signal?.removeEventListener('abort', close)
    await runner.release()
    await close()
  }
}

/**
 * Asks for the lock until it is free. A statement that waited for it would keep a snapshot, for whose end a CREATE INDEX
 * CONCURRENTLY of the holder waits: a deadlock.
 */
async function takeLock(runner: QueryRunner, mode: 'alone' | 'shared'): Promise<void> {
  const attempt = mode === 'alone' ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared'
  for (;;) {
    const [{ locked }] = await runner.query(`SELECT ${attempt}($1) AS "locked"`, [lock])
    if (locked) return
    await sleep(pollMs)
  }
}
