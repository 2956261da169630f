import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readPassphrase } from '../backup/passphrase.ts'
import { type CheckedBackup, restore, withBackup } from '../backup/restore.ts'
import type { Config } from '../config.ts'
import { openDatabase } from '../runtime/database.ts'
import { secretKeyPath } from '../runtime/secret-keys.ts'
import { readOrCreateKeyFile } from '../start/key-file.ts'
import { StartError } from '../start/start-error.ts'
import { runCommand } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run restore -- <file> [--without-keys]
  Restores a backup into an empty database. With --without-keys it does so although SECRETS_KEY lacks keys of the backup.
npm run restore -- <file> --check
  Reads a backup to its end, and writes nothing.`

const { positionals, values } = parseOptions(
  { check: { type: 'boolean', default: false }, 'without-keys': { type: 'boolean', default: false } },
  usage,
)
const [path] = positionals
if (positionals.length !== 1) {
  console.error(usage)
  process.exit(1)
}

await runCommand(async (config) => {
  const passphrase = await readPassphrase(config.backupPassphrase, false)
  await withBackup(resolve(path), passphrase, async (backup) => {
    const { archive, tables } = backup
    const rows = tables.reduce((sum, table) => sum + table.rows, 0)
    if (values.check) {
      console.log(`${path} is whole: ${rows} rows of ${tables.length} tables, from ${archive.header.createdAt}.`)
      return
    }
    await requireKeys(config, backup)
    const { database, close } = await openDatabase(config, console.error, { prepare: async () => {} })
    try {
      await restore(database, backup, { log: console.error, beforeCommit: () => writeOwnKey(config, backup) })
    } finally {
      await close()
    }
    console.log(`Restored ${rows} rows of ${tables.length} tables, from ${archive.header.createdAt}.`)
  })
})

/** @throws StartError where the server could not decrypt the bank consents of the backup */
async function requireKeys(config: Config, { archive, ownKey }: CheckedBackup): Promise<void> {
  if (values['without-keys']) return
  if (config.secrets) {
    const lacking = archive.header.secretKeys.filter((id) => !config.secrets?.some((key) => key.id === id))
    if (lacking.length > 0)
      throw new StartError(
        `SECRETS_KEY lacks the key ${lacking.join(', ')} of the backup. Add it, or lose bank consents with --without-keys.`,
      )
    return
  }
  const present = await readFile(secretKeyPath(config.dataDirectory), 'utf8').catch(() => undefined)
  if (ownKey === undefined && archive.header.secretKeys.length > 0)
    throw new StartError('SECRETS_KEY must be set to the keys that the backup needs. They are not in the file.')
  if (ownKey !== undefined && present !== undefined && present !== ownKey)
    throw new StartError(
      `${secretKeyPath(config.dataDirectory)} is another key than that of the backup. Restore with a new DATA_DIR.`,
    )
}

/** A key that the server had made by itself comes back with the rows that it encrypted. */
async function writeOwnKey(config: Config, { ownKey }: CheckedBackup): Promise<void> {
  if (ownKey !== undefined && !config.secrets)
    await readOrCreateKeyFile(secretKeyPath(config.dataDirectory), () => ownKey)
}
