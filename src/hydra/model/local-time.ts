import type { Call } from '../http/request-call.ts'
import type { Shape } from './shape.ts'

/** Writes a date-time without offset as the same moment with one. */
export type LocalTime = (text: string) => string

const local = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/i

/** Whether a value is a date-time without offset, as a form of HTML sends it. */
export function isLocal(value: unknown): value is string {
  return typeof value === 'string' && local.test(value)
}

/** How such date-times are read for this caller; undefined where they are refused. */
export async function localTimeOf({ api, executor, caller, request }: Call): Promise<LocalTime | undefined> {
  return request.strict ? undefined : api.settings.localTime?.(executor, caller)
}

/** Gives the date-times of a body their offsets. */
export async function withOffsets(call: Call, { fields }: Shape, body: Record<string, unknown>): Promise<typeof body> {
  const given = fields.filter(({ name, datatype }) => datatype === 'xsd:dateTime' && isLocal(body[name]))
  const read = given.length > 0 ? await localTimeOf(call) : undefined
  return read ? { ...body, ...Object.fromEntries(given.map(({ name }) => [name, read(body[name] as string)])) } : body
}
