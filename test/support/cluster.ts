import type { DataSource } from 'typeorm'
import { connectTo, withoutTimeouts } from '../../ormconfig.ts'
import { migrate } from '../../src/migrations/migrate.ts'
import { applySteps, distributionSteps } from '../../src/postgres/distribute.ts'

/** The comment on the schema of a cluster that tests may empty. */
const mark = 'tests of organization-api'

/**
 * Empties the database of a Citus cluster, then migrates and distributes it.
 * @param url of the coordinator
 * @throws an Error where the database has tables that no test has made
 */
export async function openCluster(url: string): Promise<DataSource> {
  const database = await connectTo({ url }, 10).initialize()
  const patient = await withoutTimeouts(database).initialize()
  try {
    await empty(patient)
    await migrate(database)
    const [{ name }] = await patient.query('SELECT current_database() AS "name"')
    await applySteps(patient, distributionSteps(name, database.entityMetadatas))
  } finally {
    await patient.destroy()
  }
  // Connections from before have no prepared statement of a table that is gone, nor the database's new settings.
  await database.destroy()
  return database.initialize()
}

async function empty(database: DataSource): Promise<void> {
  const [{ comment, tables }] = await database.query(
    `SELECT obj_description('public'::regnamespace) AS "comment",
      (SELECT count(*)::int FROM pg_tables WHERE schemaname = 'public') AS "tables"`,
  )
  if (comment !== mark && tables > 0)
    throw new Error('CITUS_URL names a database with tables. Name an empty one: the tests drop every table of it.')
  await database.query(`COMMENT ON SCHEMA "public" IS '${mark}'`)
  await database.query('DROP SCHEMA IF EXISTS "graphile_worker" CASCADE')
  for (const { drop } of await database.query(leftovers)) await database.query(drop)
}

/** Drops tables, then the functions and collations that migrations make; objects of an extension stay. */
const leftovers = `
  SELECT 1 AS "place", format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass) AS "drop"
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')
  UNION ALL
  SELECT 2, format('DROP FUNCTION IF EXISTS %s CASCADE', oid::regprocedure)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      AND oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')
  UNION ALL
  SELECT 3, format('DROP COLLATION IF EXISTS %I', collname)
    FROM pg_collation WHERE collnamespace = 'public'::regnamespace
  ORDER BY 1`
