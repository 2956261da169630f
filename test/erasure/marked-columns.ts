import { openWorld } from '../support/world.ts'

const { database } = await openWorld()

export interface Column {
  table: string
  column: string
  type: string
}

/** The columns of the server's own tables. */
export function columns(): Promise<Column[]> {
  return database.query(
    `SELECT "table_name" AS "table", "column_name" AS "column", "data_type" AS "type" FROM information_schema.columns
      WHERE "table_schema" = 'public' ORDER BY "table_name", "ordinal_position"`,
  )
}

/** The columns that contain a text, as `table.column`. In bytes, it is found as UTF-8. */
export async function columnsWith(text: string): Promise<string[]> {
  const each = (await columns()).map(({ table, column, type }) => {
    const value = type === 'bytea' ? `encode("${column}", 'escape')` : `"${column}"::text`
    return `SELECT '${table}.${column}' AS "name" WHERE EXISTS (SELECT FROM "${table}" WHERE ${value} ILIKE '%' || $1 || '%')`
  })
  const found: { name: string }[] = await database.query(each.join(' UNION ALL '), [text])
  return found.map(({ name }) => name)
}

/** The jobs that contain a text. */
export async function jobsWith(text: string): Promise<unknown[]> {
  return database.query(
    `SELECT * FROM graphile_worker._private_jobs "job" WHERE "job"::text ILIKE '%' || $1 || '%' OR "payload"::text ILIKE '%' || $1 || '%'`,
    [text],
  )
}
