import { database } from '../world/index.ts'

type Row = Record<string, unknown>

/** One row of a class, to the last column. */
export function rowOf(table: string, id: string): Promise<Row[]> {
  return database.query(`SELECT to_jsonb(t) AS "row" FROM "${table}" t WHERE "id" = $1`, [id])
}

/** Keeps a copy of all that is in the database, against which effects are told. */
export async function keep(): Promise<{ effects(): Promise<Row[]>; restore(): Promise<void> }> {
  const tables: { name: string }[] = await database.query(
    `SELECT format('%I', table_name) AS "name" FROM information_schema.tables
      WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
  )
  const copies = tables.map(({ name }) => `CREATE TABLE "kept".${name} AS TABLE ${name}`)
  await database.query(['DROP SCHEMA IF EXISTS "kept" CASCADE', 'CREATE SCHEMA "kept"', ...copies].join(';'))
  const changed = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS "table", to_jsonb(t) AS "row" FROM ${name} t EXCEPT SELECT '${name}', to_jsonb(t) FROM "kept".${name} t`,
  )
  const back = tables.map(({ name }) => `DELETE FROM ${name}; INSERT INTO ${name} TABLE "kept".${name}`)
  return {
    /** The rows that are new, or otherwise than they were. */
    effects: () =>
      database.query(
        `SELECT * FROM (${changed.map((one) => `(${one})`).join(' UNION ALL ')}) t ORDER BY 1, "row" ->> 'id'`,
      ),
    /** Has everything as it was, past all triggers and constraints. */
    restore: () => database.query(`BEGIN; SET LOCAL session_replication_role = replica; ${back.join(';')}; COMMIT`),
  }
}
