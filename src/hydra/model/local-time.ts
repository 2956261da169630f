/** Writes a date-time without offset as the same moment with one. */
export type LocalTime = (text: string) => string

const local = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/i

/** Whether a value is a date-time without offset, as a form of HTML sends it. */
export function isLocal(value: unknown): value is string {
  return typeof value === 'string' && local.test(value)
}
