import type { Fields, Kind, Shape } from '../../../../src/emulators/stripe/http/parameters.ts'
import { choices } from './shapes.ts'

/** Every fault of a value by the published shape. It checks the local server, so it shares no code with it. */
export function faultsIn(value: unknown, shape: Shape, at: string): string[] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null) {
    const text = String(value ?? '')
    return choices(shape).some((kind) => takes(kind, text)) ? [] : [`${at} is '${text}', not ${describe(shape)}`]
  }
  const entries = Object.entries(value)
  if (entries.length === 0 && at) return [`${at} is empty, which the client sends as nothing at all`]
  const among = (inner: Shape) => entries.flatMap(([name, one]) => faultsIn(one, inner, inside(at, name)))
  for (const kind of choices(shape)) {
    if (typeof kind === 'string' || 'enum' in kind) continue
    if ('map' in kind) return among(kind.map)
    if ('array' in kind && Array.isArray(value)) return among(kind.array)
    if ('object' in kind && !Array.isArray(value)) return fieldFaults(Object.fromEntries(entries), kind, at)
  }
  return [`${at} is ${Array.isArray(value) ? 'a list' : 'an object'}, not ${describe(shape)}`]
}

function fieldFaults(value: Record<string, unknown>, { object, required = [] }: Fields, at: string): string[] {
  const missing = required.filter((oneOf) => !oneOf.split('|').some((name) => value[name] !== undefined))
  return [
    ...missing.map((oneOf) => `${inside(at, oneOf)} is missing`),
    ...Object.entries(value).flatMap(([name, one]) =>
      Object.hasOwn(object, name) ? faultsIn(one, object[name], inside(at, name)) : [`${inside(at, name)} is unknown`],
    ),
  ]
}

function inside(at: string, name: string): string {
  return at ? `${at}[${name}]` : name
}

function takes(kind: Kind, text: string): boolean {
  if (kind === '') return text === ''
  if (text === '') return false
  if (kind === 'integer') return /^-?\d+$/.test(text)
  if (kind === 'number') return /^-?\d+(\.\d+)?$/.test(text)
  if (kind === 'boolean') return text === 'true' || text === 'false'
  if (kind === 'string') return true
  return 'enum' in kind && kind.enum.includes(text)
}

function describe(shape: Shape): string {
  const names = choices(shape).map((one) => {
    if (typeof one === 'string') return one || "''"
    if ('enum' in one) return one.enum.join(', ')
    if ('array' in one) return 'a list'
    return 'an object'
  })
  return names.join(' or ')
}
