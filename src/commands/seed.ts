import { localIssuer } from '../access/keys.ts'
import { readConfig } from '../config.ts'
import { openDatabase } from '../database.ts'
import { seed } from '../demo.ts'

/** `npm run seed` puts the demo organizations into an empty database. */
const config = readConfig(process.env)
const { database, close } = await openDatabase(config, console.log)
const made = await seed(database, config.auth?.issuer ?? localIssuer, {
  manualBilling: config.stripe !== undefined,
})
console.log(made ? 'The demo organizations have been made.' : 'The demo organizations are there already.')
await close()
