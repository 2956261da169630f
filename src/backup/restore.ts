import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { from as copyFrom } from 'pg-copy-streams'
import type { DataSource, QueryRunner } from 'typeorm'
import { withMigrationLock } from '../migrations/migration-lock.ts'
import { filledTables } from '../postgres/table-kinds.ts'
import { quote } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'
import { systemErrorText } from '../start/system-error.ts'
import { OpenArchive } from './archive.ts'
import {
  type CopiedTable,
  columnList,
  copiedRows,
  fixTextFormats,
  measure,
  progressOf,
  requireOneNode,
  tablesIn,
} from './copied-tables.ts'
import { migrateTo, requireEmpty, withoutChecks } from './empty-database.ts'
import { manifestFile, secretKeyFile, tableOfPart } from './parts.ts'
import { createJobTable, enqueueJobs } from './queued-jobs.ts'
import type { Entry } from './tar.ts'

/** A backup that was read to its end: it is whole and genuine. */
export interface CheckedBackup {
  archive: OpenArchive
  tables: CopiedTable[]
  /** The key that the server had made by itself. */
  ownKey: string | undefined
}

/** Opens a backup and reads all of it once, before anything is written. @throws StartError where it is not whole */
export async function withBackup<T>(
  path: string,
  passphrase: string,
  work: (backup: CheckedBackup) => Promise<T>,
): Promise<T> {
  const file = await open(path).catch((error) => {
    throw new StartError(`${quote(path)} cannot be read: ${systemErrorText(error)}.`)
  })
  try {
    return await work(await check(file, path, passphrase))
  } finally {
    await file.close()
  }
}

async function check(file: FileHandle, path: string, passphrase: string): Promise<CheckedBackup> {
  const archive = await OpenArchive.open(file, path, passphrase)
  let tables: CopiedTable[] = []
  let ownKey: string | undefined
  for await (const { name, content } of archive.entries()) {
    if (name === manifestFile) ({ tables } = JSON.parse(content.toString()))
    if (name === secretKeyFile) ownKey = content.toString()
  }
  return { archive, tables, ownKey }
}

interface RestoreOptions {
  log?: (line: string) => void
  /** Runs when all rows are loaded and correct, just before they become visible. */
  beforeCommit?: () => Promise<void>
}

/**
 * Restores a backup into an empty database: the migrations of the backup, then all rows in one transaction. A restore that fails or
 * is killed leaves no rows. Other starts wait meanwhile; the next one applies later migrations.
 */
export async function restore(
  database: DataSource,
  { archive, tables }: CheckedBackup,
  { log = () => {}, beforeCommit = async () => {} }: RestoreOptions = {},
): Promise<void> {
  await withMigrationLock(database, 'alone', async (unhurried, runner) => {
    await requireOneNode(runner)
    await requireEmpty(runner)
    await migrateTo(unhurried, archive.header)
    await fixTextFormats(runner)
    await runner.query('BEGIN')
    try {
      const own = await tablesIn(runner)
      for (const name of own) await runner.query(`LOCK TABLE "${name}"`)
      await requireEmpty(runner)
      await createJobTable(runner)
      await withoutChecks(runner, own, async () => {
        for (const table of filledTables.filter((name) => own.includes(name)))
          await runner.query(`DELETE FROM "${table}"`)
        await loadRows(runner, archive.entries(), tables, log)
      })
      await enqueueJobs(runner)
      await requireSameRows(runner, tables)
      await beforeCommit()
      await runner.query('COMMIT')
    } catch (error) {
      await runner.query('ROLLBACK').catch(() => {})
      throw error
    }
    await runner.query('ANALYZE')
  })
}

/** Copies the parts of each table, one after the other. */
async function loadRows(
  runner: QueryRunner,
  entries: AsyncGenerator<Entry>,
  tables: CopiedTable[],
  log: (line: string) => void,
): Promise<void> {
  const client = await runner.connect()
  let entry = await entries.next()
  while (!entry.done) {
    const name = tableOfPart(entry.value.name)
    const table = tables.find((one) => one.name === name)
    if (!table) {
      entry = await entries.next()
      continue
    }
    const parts = async function* (): AsyncGenerator<Buffer> {
      for (; !entry.done && tableOfPart(entry.value.name) === name; entry = await entries.next())
        yield entry.value.content
    }
    await pipeline(parts, client.query(copyFrom(`COPY "${name}" (${columnList(table.columns)}) FROM STDIN`)))
    log(progressOf(table))
  }
}

/** @throws StartError where a table has other rows than the backup */
async function requireSameRows(runner: QueryRunner, tables: CopiedTable[]): Promise<void> {
  const present = await copiedRows(runner)
  for (const { name, columns, rows, digest } of tables) {
    const table = present.find((one) => one.name === name)
    if (!table) throw new StartError(`The schema has no table "${name}".`)
    const found = await measure(runner, { ...table, columns })
    if (found.rows !== rows || found.digest !== digest)
      throw new StartError(`The table "${name}" has other rows than the backup. Nothing was restored.`)
  }
}
