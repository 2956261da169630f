import type { DataSource, EntityMetadata } from 'typeorm'

/** The column with the folded texts of a row, which text searches read. */
export const searchColumn = 'searchText'

interface StoredTable {
  table: string
  columns: string[]
  /** Whether the database writes the search column of a new row. */
  fillsSearch: boolean
}

/**
 * Compares the classes with the tables of the database.
 * @throws Error that names the table and the remedy
 */
export async function requireTables(database: DataSource): Promise<void> {
  const metadatas = database.entityMetadatas.filter(({ tableType }) => tableType === 'regular')
  const rows: StoredTable[] = await database.query(stored, [metadatas.map(({ tableName }) => tableName), searchColumn])
  const byName = new Map(rows.map((row) => [row.table, row]))
  for (const metadata of metadatas) requireTable(metadata, byName.get(metadata.tableName))
}

/** A row trigger before the insert (bits 1, 2 and 4 of its type) fills a column if its function names the column. */
const stored = `
  SELECT "name" AS "table",
    array(SELECT "attname"::text FROM "pg_attribute" WHERE "attrelid" = "found" AND "attnum" > 0 AND NOT "attisdropped")
      AS "columns",
    EXISTS (SELECT FROM "pg_attribute" WHERE "attrelid" = "found" AND "attname" = $2 AND "attgenerated" <> '')
      OR EXISTS (SELECT FROM "pg_trigger" JOIN "pg_proc" ON "pg_proc"."oid" = "tgfoid"
        WHERE "tgrelid" = "found" AND "tgenabled" <> 'D' AND "tgtype" & 7 = 7 AND strpos("prosrc", $2) > 0)
      AS "fillsSearch"
  FROM (SELECT "name", to_regclass(quote_ident("name")) AS "found" FROM unnest($1::text[]) AS "name") AS "named"
  WHERE "found" IS NOT NULL`

function requireTable({ name, tableName, columns }: EntityMetadata, table: StoredTable | undefined): void {
  if (!table) throw new Error(`${name} has no table "${tableName}": create it in a migration, and list the migration.`)
  const missing = columns.find(({ databaseName }) => !table.columns.includes(databaseName))
  if (missing)
    throw new Error(`Table "${tableName}" has no column "${missing.databaseName}" of ${name}: add it in a migration.`)
  if (table.columns.includes(searchColumn) && !table.fillsSearch)
    throw new Error(`Table "${tableName}" has no trigger that fills "${searchColumn}": create it in a migration.`)
}
