import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Parses the arguments of a command. An unknown option prints the usage and ends the process. */
export function parseOptions<T extends NonNullable<ParseArgsConfig['options']>>(options: T, usage: string) {
  try {
    return parseArgs({ allowPositionals: true, options })
  } catch {
    console.error(usage)
    process.exit(1)
  }
}
