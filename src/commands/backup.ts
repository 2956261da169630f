import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { DataSource } from 'typeorm'
import { hasOwner } from '../../ormconfig.ts'
import { backUp } from '../backup/backup.ts'
import { readPassphrase } from '../backup/passphrase.ts'
import { readRowSecurity } from '../postgres/row-security.ts'
import { openDatabase } from '../runtime/database.ts'
import { secretKeyPath } from '../runtime/secret-keys.ts'
import { StartError } from '../start/start-error.ts'
import { runCommand } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run backup -- <file> [--replace]
  Copies all rows of the database in one snapshot into a file, sealed by the passphrase in BACKUP_PASSPHRASE.
  With --replace it replaces the file.`

const { positionals, values } = parseOptions({ replace: { type: 'boolean', default: false } }, usage)
const [path] = positionals
if (positionals.length !== 1) {
  console.error(usage)
  process.exit(1)
}

const stop = new AbortController()

/** `npm run backup` does not migrate: the backup before an upgrade is made by either version. */
await runCommand(async (config) => {
  const passphrase = await readPassphrase(config.backupPassphrase, true)
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => stop.abort(new Error('The backup was stopped. Nothing was written.')))
  const { database, close } = await openDatabase(config, console.error, {
    prepare: async () => {},
    signal: stop.signal,
  })
  try {
    await requireEveryRow(database)
    const ownKey = config.secrets ? undefined : await readOwnKey(config.dataDirectory)
    const { tables, rows, bytes } = await backUp(database, {
      path: resolve(path),
      passphrase,
      replace: values.replace,
      ownKey,
      log: console.error,
      signal: stop.signal,
    })
    console.log(`Backed up ${rows} rows of ${tables} tables into ${path}, ${bytes} bytes.`)
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error
  } finally {
    await close()
  }
})
// Connections to a database that answers no more would keep the process.
if (stop.signal.aborted) process.exit()

/** @throws StartError where the role of the server sees no rows of tenants, and no address names the owner */
async function requireEveryRow(database: DataSource): Promise<void> {
  if (hasOwner(database) || !(await readRowSecurity(database)).isOn) return
  throw new StartError('Row-level security hides rows from the role of DATABASE_URL. Set DATABASE_OWNER_URL, too.')
}

/** The key that the server has made; undefined before its first start. */
function readOwnKey(directory: string): Promise<string | undefined> {
  return readFile(secretKeyPath(directory), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
