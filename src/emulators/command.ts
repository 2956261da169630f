import { parseArgs } from 'node:util'

/** One option of an emulator's command: `--name`, else the environment variable, else the default. */
export interface CommandOption {
  variable: string
  description: string
  default?: string
}

/** Reads the options, or prints the usage and ends the process with 1. */
export function readOptions<Name extends string>(
  options: Record<Name, CommandOption>,
): Record<Name, string | undefined> {
  const entries = Object.entries(options) as [Name, CommandOption][]
  try {
    const known = Object.fromEntries(entries.map(([name]) => [name, { type: 'string' as const }]))
    const values: Record<string, unknown> = parseArgs({ options: known }).values
    const read = entries.map(([name, option]) => [name, values[name] || process.env[option.variable] || option.default])
    return Object.fromEntries(read)
  } catch (error) {
    console.error((error as Error).message)
    for (const [name, { variable, description }] of entries) console.error(`--${name} or ${variable}: ${description}`)
    process.exit(1)
  }
}

/** Starts an emulator, prints its lines, and stops it on SIGINT or SIGTERM. */
export async function runEmulator(
  port: string | undefined,
  start: (port: number) => Promise<{ lines: string[]; stop(): Promise<void> }>,
): Promise<void> {
  try {
    const { lines, stop } = await start(Number(port))
    for (const line of lines) console.log(line)
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stop())
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    console.error(code === 'EADDRINUSE' ? `Port ${port} is in use. Set --port to another.` : message)
    process.exitCode = 1
  }
}
