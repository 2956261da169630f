import { localIssuer } from '../access/token-issuer-keys.ts'
import { seedDemo } from '../demo/demo.ts'
import { runCommand, withDatabase } from './command.ts'

/** `npm run seed` creates the demo organizations in a database that has none. */
await runCommand((config) => {
  const manualBilling = config.stripe !== undefined
  const seed = async (database: Parameters<typeof seedDemo>[0]) => {
    const created = await seedDemo(database, config.auth?.issuer ?? localIssuer, { manualBilling })
    console.log(created ? 'Created the demo organizations.' : 'The demo organizations exist already.')
  }
  return withDatabase(config, seed, console.log)
})
