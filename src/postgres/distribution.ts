import type { DataSource, EntityManager } from 'typeorm'

/** Whether Citus distributes the tables of a database. */
export async function readDistribution(database: Pick<DataSource, 'query'>): Promise<boolean> {
  const [{ known }] = await database.query(`SELECT to_regclass('pg_dist_partition') IS NOT NULL AS "known"`)
  return known && (await database.query('SELECT 1 FROM pg_dist_partition LIMIT 1')).length > 0
}

/** By the options of a DataSource, which its views share. */
const distributions = new WeakMap<object, boolean>()

/** The same, read once for a DataSource: a database is distributed while no server runs. */
export async function isDistributed(manager: EntityManager): Promise<boolean> {
  const { options } = manager.connection
  const known = distributions.get(options) ?? (await readDistribution(manager))
  distributions.set(options, known)
  return known
}
