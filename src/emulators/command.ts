import { parseArgs } from 'node:util'
import type { ListenOptions } from './listen.ts'

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

/** The options of every emulator that say where it listens; `prefix` begins their variables. */
export const listenOptions = (prefix: string, port: string) => ({
  port: { variable: `${prefix}_PORT`, description: 'the port', default: port },
  host: { variable: `${prefix}_HOST`, description: 'the address to listen on', default: '127.0.0.1' },
  'public-url': { variable: `${prefix}_PUBLIC_URL`, description: 'the address in links, where it is another' },
})

/** Starts an emulator, prints its lines, and stops it on SIGINT or SIGTERM with exit code 0. */
export async function runEmulator(
  { port, host, 'public-url': publicUrl }: Partial<Record<'port' | 'host' | 'public-url', string>>,
  start: (options: ListenOptions) => Promise<{ lines: string[]; stop(): Promise<void> }>,
): Promise<void> {
  try {
    const { lines, stop } = await start({ port: Number(port), host, publicUrl })
    for (const line of lines) console.log(line)
    let stopping: Promise<void> | undefined
    // On Ctrl-C the terminal and npm each send a signal: the second one must not end the process before it has stopped.
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.on(signal, () => (stopping ??= stop().then(() => process.exit(0))))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    console.error(code === 'EADDRINUSE' ? `Port ${port} is in use. Set --port to another.` : message)
    process.exitCode = 1
  }
}
