import type { DataSource } from 'typeorm'
import { type Config, readConfig } from '../config.ts'
import { TenantScope } from '../hydra/index.ts'
import { openDatabase } from '../runtime/database.ts'

/** Runs a command with the configuration. An error is printed as its message, without a stack. */
export async function runCommand(work: (config: Config) => Promise<void>): Promise<void> {
  try {
    await work(readConfig(process.env))
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}

/** Opens the database for a command, and closes it after that. */
export async function withDatabase(
  config: Config,
  work: (database: DataSource) => Promise<void>,
  log: (line: string) => void = () => {},
): Promise<void> {
  const { database, close } = await openDatabase(config, log)
  try {
    await work(TenantScope.every.view(database))
  } finally {
    await close()
  }
}
