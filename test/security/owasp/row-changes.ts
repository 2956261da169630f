import { openWorld } from '../../support/world.ts'

const { database } = await openWorld()

type Row = Record<string, unknown>

/** The changes in a table: its new or changed rows, and its number of rows now. */
interface Effect {
  table: string
  count: number
  rows: Row[]
}

/** One row of a class, to the last column. */
export function rowOf(table: string, id: string): Promise<Row[]> {
  return database.query(`SELECT to_jsonb(t) AS "row" FROM "${table}" t WHERE "id" = $1`, [id])
}

/**
 * Keeps a copy of the whole database, and compares with it to find effects. Each row stores the transaction that wrote it
 * (`xmin`). So one statement finds all new rows, and only tables that were written are restored.
 */
export async function keep(): Promise<{ effects(): Promise<Effect[]>; restore(): Promise<void> }> {
  const tables: { name: string }[] = await database.query(
    `SELECT format('%I', table_name) AS "name" FROM information_schema.tables
      WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
  )
  const copies = tables.map(({ name }) => `CREATE TABLE "kept".${name} AS TABLE ${name}`)
  await database.query(['DROP SCHEMA IF EXISTS "kept" CASCADE', 'CREATE SCHEMA "kept"', ...copies].join(';'))
  const looks = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS "table", count(*)::int AS "count",
        coalesce(jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t) ->> 'id', to_jsonb(t)) FILTER (WHERE t.xmin::text::bigint > look.since), '[]') AS "rows" FROM ${name} t`,
  )
  await database.query(`CREATE FUNCTION "kept".look(since bigint) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$ BEGIN
    RETURN QUERY ${looks.map((look) => `SELECT to_jsonb(l) AS "found" FROM (${look}) l`).join(' UNION ALL ')} ORDER BY 1; END $$`)
  const look = async (since: string): Promise<Effect[]> =>
    (await database.query('SELECT "kept".look($1) AS "found"', [since])).map(({ found }: { found: Effect }) => found)

  const now = async () => (await database.query('SELECT pg_current_xact_id() AS "now"'))[0].now
  let since: string = await now()
  const counts = new Map((await look(since)).map(({ table, count }) => [table, count]))
  let changed: Effect[] = []
  return {
    /** The tables that have changed. */
    async effects() {
      changed = (await look(since)).filter(({ table, count, rows }) => rows.length > 0 || count !== counts.get(table))
      return changed
    },
    /** Undoes the effects that were found last, and bypasses all triggers and constraints. */
    async restore() {
      const back = changed.map(({ table }) => `DELETE FROM ${table}; INSERT INTO ${table} TABLE "kept".${table}`)
      await database.query(`BEGIN; SET LOCAL session_replication_role = replica; ${back.join(';')}; COMMIT`)
      since = await now()
    },
  }
}
