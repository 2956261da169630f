import type { Drawing } from '../drawing.ts'
import type { Document, FormField, Shape } from '../engine.ts'

/** The values of an item as the fields of its form send them. */
export function itemValues(
  { api, formats }: Pick<Drawing, 'api' | 'formats'>,
  fields: FormField[],
  document: Document,
): URLSearchParams {
  const values = new URLSearchParams()
  for (const field of fields) {
    const value = document[field.name]
    for (const [name, text] of textsOf(field, value)) values.append(name, text)
    if (field.control !== 'date-time' || typeof value !== 'string') continue
    const local = formats.localTime(value) ?? value
    values.set(field.name, local)
    values.set(api.formNames.drawn(field.name), `${local} ${value}`)
  }
  return values
}

/** The values that a new item has where the body names no others. */
export function defaultValues(fields: FormField[], { class: type }: Shape): URLSearchParams {
  const fresh = new (type as unknown as new () => Document)()
  const values = new URLSearchParams()
  for (const field of fields) {
    const value = fresh[field.name]
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value) || Array.isArray(value)
    if (isPlain) for (const [name, text] of textsOf(field, value)) values.append(name, text)
  }
  return values
}

function textsOf({ name, control, group = [] }: FormField, value: unknown): [name: string, text: string][] {
  if (value === null || value === undefined) return []
  if (control === 'json') return [[name, jsonText(value)]]
  if (control === 'groups')
    return (value as Document[]).flatMap((row, index) =>
      group.map((member): [string, string] => [`${name}[${index}][${member.name}]`, String(row[member.name] ?? '')]),
    )
  return [value].flat().map((one) => [name, String(one)])
}

/** A string stands without quotes where nothing else can be read from it. */
function jsonText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value, null, 2)
  try {
    JSON.parse(value)
    return JSON.stringify(value)
  } catch {
    return value
  }
}
