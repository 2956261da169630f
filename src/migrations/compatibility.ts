import type { DataSource, QueryRunner } from 'typeorm'
import { StartError } from '../start/start-error.ts'

/**
 * The timestamp of the oldest migration that code must know to work on the schema. It is the comment on the table of applied
 * migrations: old code has to find it, whatever the schema looks like by then.
 */
async function compatibleFrom(runner: DataSource | QueryRunner): Promise<number> {
  const [{ comment }] = await runner.query(
    `SELECT obj_description(to_regclass('"migrations"'), 'pg_class') AS "comment"`,
  )
  return Number(/^compatibleFrom=(\d+)$/.exec(comment ?? '')?.[1] ?? 0)
}

/** For the `up` of a migration that older code cannot live with: code without it then refuses to start. */
export async function raiseCompatibleFrom(runner: QueryRunner, migration: object): Promise<void> {
  const timestamp = timestampOf(migration)
  if (timestamp > (await compatibleFrom(runner)))
    await runner.query(`COMMENT ON TABLE "migrations" IS 'compatibleFrom=${timestamp}'`)
}

/** For the `down` of such a migration. @param timestamp of the previous migration that raised it; 0 where none did */
export async function lowerCompatibleFrom(runner: QueryRunner, timestamp: number): Promise<void> {
  await runner.query(`COMMENT ON TABLE "migrations" IS ${timestamp === 0 ? 'NULL' : `'compatibleFrom=${timestamp}'`}`)
}

/** @throws a StartError where the schema has been changed in a way that this code cannot live with */
export async function requireCompatible(database: DataSource): Promise<void> {
  const needed = await compatibleFrom(database)
  const newest = Math.max(...database.migrations.map(timestampOf))
  if (newest >= needed) return
  throw new StartError(
    `The database has a schema for newer code: it needs migration ${needed}, and this code ends with ${newest}. Deploy the newer version.`,
  )
}

/** The digits that end the name of a migration's class, as TypeORM reads them. */
function timestampOf(migration: object): number {
  return Number(/\d{13}$/.exec(migration.constructor.name)?.[0])
}
