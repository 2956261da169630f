import { runCommand, withDatabase } from './command.ts'

/** `npm run migrate` applies the pending migrations. */
await runCommand((config) => withDatabase(config, async () => {}, console.log))
