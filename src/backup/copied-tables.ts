import type { QueryRunner } from 'typeorm'
import { readDistribution } from '../postgres/distribution.ts'
import { formerTables, shortLivedTables, tableKinds } from '../postgres/table-kinds.ts'
import { StartError } from '../start/start-error.ts'
import { queuedJobs } from './queued-jobs.ts'

/** Rows that a backup copies: those of a table, or of a query. */
export interface CopiedRows {
  name: string
  columns: string[]
  /** SQL after FROM. */
  from: string
}

/** The number of rows, and a sum of their hashes, which does not depend on their order. */
export interface Measure {
  rows: number
  digest: string
}

/** The rows of a table in a backup. */
export interface CopiedTable extends Omit<CopiedRows, 'from'>, Measure {}

/** Every table of the newest schema and of older ones. */
const known: string[] = [...Object.values(tableKinds).flat(), ...formerTables]

/** The tables of the schema, without those of extensions. */
export async function tablesIn(runner: QueryRunner): Promise<string[]> {
  const rows: { name: string }[] = await runner.query(
    `SELECT relname AS "name" FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
      ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

/** The tables of this application, and those of others. */
export async function ownAndOtherTables(runner: QueryRunner): Promise<{ own: string[]; others: string[] }> {
  const tables = await tablesIn(runner)
  return {
    own: tables.filter((name) => known.includes(name)),
    others: tables.filter((name) => !known.includes(name)),
  }
}

/** All rows that a backup copies. Generated columns are left out, because Postgres computes them. */
export async function copiedRows(runner: QueryRunner): Promise<CopiedRows[]> {
  const { own } = await ownAndOtherTables(runner)
  const columns: { table: string; name: string }[] = await runner.query(
    `SELECT relname AS "table", attname AS "name" FROM pg_attribute
      JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1) AND attnum > 0 AND NOT attisdropped
        AND attgenerated = '' ORDER BY relname, attnum`,
    [own],
  )
  const tables = own
    .filter((name) => name !== 'migrations' && !shortLivedTables.includes(name))
    .map((name) => ({
      name,
      columns: columns.filter(({ table }) => table === name).map((column) => column.name),
      from: `"${name}"`,
    }))
  return [...tables, queuedJobs]
}

/** Counts and hashes rows in the database. The hash is part of SHA-256, which is the same on every server. */
export async function measure(runner: QueryRunner, { columns, from }: CopiedRows): Promise<Measure> {
  const hash = `encode(sha256(convert_to(ROW(${columnList(columns)})::text, 'UTF8')), 'hex')`
  const [{ rows, digest }] = await runner.query(
    `SELECT count(*) AS "rows", coalesce(sum(('x' || left(${hash}, 16))::bit(64)::bigint), 0)::text AS "digest" FROM ${from}`,
  )
  return { rows: Number(rows), digest }
}

/** The line about a table that was copied. */
export function progressOf({ name, rows }: CopiedTable): string {
  return `${name}: ${rows} ${rows === 1 ? 'row' : 'rows'}`
}

export function columnList(columns: string[]): string {
  return columns.map((name) => `"${name}"`).join(', ')
}

/** Settings on which the text of values depends, and one that makes a hidden row an error. */
export async function fixTextFormats(runner: QueryRunner): Promise<void> {
  for (const setting of [
    `"client_encoding" = 'UTF8'`,
    `"datestyle" = 'ISO, YMD'`,
    `"intervalstyle" = 'postgres'`,
    `"bytea_output" = 'hex'`,
    '"extra_float_digits" = 1',
    '"row_security" = off',
  ])
    await runner.query(`SET ${setting}`)
}

/** @throws StartError where Citus spreads the tables: no snapshot spans its nodes */
export async function requireOneNode(runner: QueryRunner): Promise<void> {
  if (await readDistribution(runner))
    throw new StartError(
      'The database is distributed with Citus, and no snapshot spans its nodes. Use the backups of the cluster.',
    )
}
