import { readConfig } from '../config.ts'
import { openDatabase } from '../database.ts'

/** `npm run migrate` brings the database to the newest schema and leaves it at that. */
const { close } = await openDatabase(readConfig(process.env), console.log)
await close()
