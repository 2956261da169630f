import { to as copyTo } from 'pg-copy-streams'
import type { DataSource, QueryRunner } from 'typeorm'
import { appliedMigrations } from '../migrations/applied-migrations.ts'
import { withMigrationLock } from '../migrations/migration-lock.ts'
import { ownVersion } from '../start/own-version.ts'
import { StartError } from '../start/start-error.ts'
import { sealArchive } from './archive.ts'
import {
  type CopiedRows,
  type CopiedTable,
  columnList,
  copiedRows,
  fixTextFormats,
  measure,
  ownAndOtherTables,
  progressOf,
  requireOneNode,
} from './copied-tables.ts'
import type { Header } from './header.ts'
import { requireNewFile, writeNewFile } from './new-file.ts'
import { manifestFile, partName, secretKeyFile } from './parts.ts'
import type { Entry } from './tar.ts'

export interface BackupOptions {
  /** The file to write. */
  path: string
  passphrase: string
  /** Whether an existing file is replaced. */
  replace?: boolean
  /** The key that a server made for itself, which is nowhere else. A configured key stays with the operator. */
  ownKey?: string
  log?: (line: string) => void
  /** Cancels the backup. */
  signal?: AbortSignal
  /** The base-2 logarithm of the cost of a guess at the passphrase. */
  cost?: number
}

/** Copies every table in one snapshot into a sealed file. The server goes on to serve. */
export async function backUp(
  database: DataSource,
  options: BackupOptions,
): Promise<{ tables: number; rows: number; bytes: number }> {
  const { path, passphrase, replace, ownKey, log = () => {}, signal, cost } = options
  if (!replace) await requireNewFile(path)
  return withMigrationLock(
    database,
    'shared',
    async (unhurried, runner) => {
      const migrations = await knownMigrations(unhurried)
      await requireOneNode(runner)
      await fixTextFormats(runner)
      await runner.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      const { others } = await ownAndOtherTables(runner)
      for (const name of others) log(`Left out the table "${name}", which is not of this application.`)
      const copied = await copiedRows(runner)
      const tables: (CopiedTable & CopiedRows)[] = []
      for (const rows of copied) tables.push({ ...rows, ...(await measure(runner, rows)) })
      const secretKeys = await sealingKeys(runner, copied)
      const header: Header = { version: ownVersion(), createdAt: new Date().toISOString(), migrations, secretKeys }
      const entries = entriesOf(runner, tables, ownKey, log)
      const bytes = await writeNewFile(path, sealArchive(header, entries, passphrase, cost), replace)
      const rows = tables.reduce((sum, table) => sum + table.rows, 0)
      return { tables: tables.length, rows, bytes }
    },
    signal,
  )
}

/** @throws StartError where newer code has migrated the database: this code would leave out tables that it does not know */
async function knownMigrations(database: DataSource): Promise<string[]> {
  const applied = await appliedMigrations(database)
  if (applied.length === 0) throw new StartError('The database is empty. There is nothing to back up.')
  const known = database.migrations.map((migration) => migration.constructor.name)
  const unknown = applied.find((name) => !known.includes(name))
  if (unknown)
    throw new StartError(
      `The database has the migration ${unknown}, which this version does not know. Back it up with the newer version.`,
    )
  return applied
}

/** The ids of the keys that sealed the secrets of the rows, from the second part of each. */
async function sealingKeys(runner: QueryRunner, copied: CopiedRows[]): Promise<string[]> {
  const ids = new Set<string>()
  for (const { columns, from } of copied)
    for (const column of columns.filter((name) => name.startsWith('sealed'))) {
      const rows = await runner.query(
        `SELECT DISTINCT split_part("${column}", '.', 2) AS "id" FROM ${from} WHERE "${column}" IS NOT NULL`,
      )
      for (const { id } of rows) ids.add(id)
    }
  return [...ids].sort()
}

/** Parts of a table in the archive are as long as this, so that memory holds one of them. */
const partBytes = 1024 * 1024

async function* entriesOf(
  runner: QueryRunner,
  tables: (CopiedTable & CopiedRows)[],
  ownKey: string | undefined,
  log: (line: string) => void,
): AsyncGenerator<Entry> {
  const manifest = tables.map(({ from: _, ...table }) => table)
  yield { name: manifestFile, content: Buffer.from(`${JSON.stringify({ tables: manifest }, undefined, 1)}\n`) }
  if (ownKey !== undefined) yield { name: secretKeyFile, content: Buffer.from(ownKey) }
  const client = await runner.connect()
  for (const table of tables) {
    const { name, columns, from } = table
    const copy = client.query(copyTo(`COPY (SELECT ${columnList(columns)} FROM ${from}) TO STDOUT`))
    let number = 0
    for await (const content of cut(copy)) yield { name: partName(name, number++), content }
    log(progressOf(table))
  }
}

/** Cuts chunks into pieces of `partBytes`. */
async function* cut(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    pending.push(chunk)
    length += chunk.length
    if (length < partBytes) continue
    yield Buffer.concat(pending)
    pending = []
    length = 0
  }
  if (length > 0) yield Buffer.concat(pending)
}
