import { localIssuer } from '../access/token-issuer-keys.ts'
import { seedDemo } from '../demo/demo.ts'
import { runCommand, withDatabase } from './command.ts'

/** `npm run seed` puts the demo organizations into an empty database. */
await runCommand((config) => {
  const manualBilling = config.stripe !== undefined
  const fill = async (database: Parameters<typeof seedDemo>[0]) => {
    const made = await seedDemo(database, config.auth?.issuer ?? localIssuer, { manualBilling })
    console.log(made ? 'The demo organizations have been made.' : 'The demo organizations are there already.')
  }
  return withDatabase(config, fill, console.log)
})
