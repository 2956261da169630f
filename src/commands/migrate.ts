import { command, onDatabase } from './command.ts'

/** `npm run migrate` brings the database to the newest schema and leaves it at that. */
await command((config) => onDatabase(config, async () => {}, console.log))
