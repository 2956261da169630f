import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** The names of the cases. */
  cases: string[]
  connections: number[]
  rounds: number
  /** The duration of one measurement. */
  seconds: number
  /** Requests to each server before a case is measured. */
  warmUp: number
  naive: boolean
}

/**
 * The options of the command line.
 * @param known the names of all cases, and of those that run by default
 * @throws Error with a sentence when an option is invalid
 */
export function readOptions(args: string[], known: { all: string[]; byDefault: string[] }): BenchOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      connections: { type: 'string', default: '1,16,64' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '1' },
      'warm-up': { type: 'string', default: '20000' },
      'no-naive': { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.find((name) => !known.all.includes(name))
  if (unknown) throw new Error(`No case is named "${unknown}". Choose from: ${known.all.join(', ')}.`)
  return {
    cases: positionals.length > 0 ? positionals : known.byDefault,
    connections: values.connections.split(',').map((text) => positive('connections', text, Number.isInteger)),
    rounds: positive('rounds', values.rounds, Number.isInteger),
    seconds: positive('seconds', values.seconds, Number.isFinite),
    warmUp: positive('warm-up', values['warm-up'], Number.isInteger),
    naive: !values['no-naive'],
  }
}

function positive(name: string, text: string, isValid: (value: number) => boolean): number {
  const value = Number(text)
  if (!isValid(value) || value <= 0) throw new Error(`--${name} has "${text}", which must be a positive number.`)
  return value
}
