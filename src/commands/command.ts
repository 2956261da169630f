import type { DataSource } from 'typeorm'
import { type Config, readConfig } from '../config.ts'
import { openDatabase } from '../runtime/database.ts'

/** Runs a command, and prints the sentence of what stops it instead of a stack. */
export async function runCommand(work: (config: Config) => Promise<void>): Promise<void> {
  try {
    await work(readConfig(process.env))
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}

/** Lends the database to a command. */
export async function withDatabase(
  config: Config,
  work: (database: DataSource) => Promise<void>,
  log: (line: string) => void = () => {},
): Promise<void> {
  const { database, close } = await openDatabase(config, log)
  try {
    await work(database)
  } finally {
    await close()
  }
}
