import { rebuildNameIndexes } from '../postgres/collation-check.ts'
import { openDatabase } from '../runtime/database.ts'
import { runCommand } from './command.ts'

/** `npm run reindex` rebuilds the indexes of names after an upgrade of Postgres or ICU. The server does not start before that. */
await runCommand(async (config) => {
  const prepare = (database: Parameters<typeof rebuildNameIndexes>[0]) => rebuildNameIndexes(database, console.log)
  const { close } = await openDatabase(config, () => {}, { prepare })
  await close()
})
