import { type ParseArgsConfig, parseArgs } from 'node:util'

/** What a command was given; where that has an option it does not know, how it is used is printed instead. */
export function parseOptions<T extends NonNullable<ParseArgsConfig['options']>>(options: T, usage: string) {
  try {
    return parseArgs({ allowPositionals: true, options })
  } catch {
    console.error(usage)
    process.exit(1)
  }
}
