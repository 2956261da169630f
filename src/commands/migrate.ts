import { runCommand, withDatabase } from './command.ts'

/** `npm run migrate` brings the database to the newest schema and leaves it at that. */
await runCommand((config) => withDatabase(config, async () => {}, console.log))
