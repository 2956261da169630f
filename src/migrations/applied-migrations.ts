import type { DataSource, QueryRunner } from 'typeorm'

/** The names of the applied migrations, in their order; none in a new database. */
export async function appliedMigrations(runner: DataSource | QueryRunner): Promise<string[]> {
  const [{ exists }] = await runner.query(`SELECT to_regclass('"migrations"') IS NOT NULL AS "exists"`)
  if (!exists) return []
  const rows: { name: string }[] = await runner.query('SELECT "name" FROM "migrations" ORDER BY "timestamp"')
  return rows.map(({ name }) => name)
}
