import type { FormField } from '../formats/form-fields.ts'
import { formNames } from '../formats/form-names.ts'

type Values = Record<string, unknown>

/**
 * Reads the fields of a form (application/x-www-form-urlencoded) into a body for the operation. A value that has the wrong form
 * stays a text, so that the rules of its property report it. A field that the form lacks is not in the body.
 * @param partial whether an empty field clears its property, as in a PATCH; otherwise the property keeps its default
 */
export function bodyOfForm(fields: FormField[], form: URLSearchParams, partial: boolean): Values {
  const body: Values = {}
  for (const field of fields) {
    const value = field.control === 'groups' ? groupsOf(field, form) : fieldValue(field, form, partial)
    if (value !== undefined) body[field.name] = value
  }
  return body
}

function fieldValue(field: FormField, form: URLSearchParams, partial: boolean): unknown {
  const { name, control } = field
  const given = form.getAll(name)
  if (given.length === 0) return undefined
  if (control === 'choices' || control === 'texts' || control === 'references')
    return given.map((text) => text.trim()).filter((text) => text !== '')
  // A checkbox that is not ticked is not sent; the hidden field before it says false.
  const text = given[given.length - 1].replaceAll('\r\n', '\n')
  if (text.trim() === '') return emptyValue(field, partial)
  if (control === 'checkbox') return text === 'true'
  if (control === 'number') return /^\s*-?\d{1,15}\s*$/.test(text) ? Number(text) : text
  if (control === 'date-time') return momentOf(name, text, form)
  if (control === 'json') return parsed(text)
  return text
}

/** A required text is sent empty, so that its violation is reported. */
function emptyValue({ control, required, nullable }: FormField, partial: boolean): unknown {
  if (!partial && !required) return undefined
  if (nullable) return null
  const isText = control === 'text' || control === 'textarea' || control === 'email' || control === 'url'
  return required || isText ? '' : undefined
}

/** An unchanged date-time keeps its instant: an hour that occurs twice names two. */
function momentOf(name: string, text: string, form: URLSearchParams): string {
  const [local, instant] = (form.get(formNames.drawn(name)) ?? '').split(' ')
  return text === local && instant ? instant : text
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The objects of a list: `metadata[0][name]`. An object whose fields are all empty is left out. */
function groupsOf({ name, group = [] }: FormField, form: URLSearchParams): Values[] | undefined {
  const rows = new Map<string, URLSearchParams>()
  for (const [key, value] of form) {
    const [, list, index, member] = /^([^[\]]+)\[(\d{1,4})\]\[([^[\]]+)\]$/.exec(key) ?? []
    if (list !== name) continue
    const row = rows.get(index) ?? new URLSearchParams()
    row.append(member, value)
    rows.set(index, row)
  }
  if (rows.size === 0 && !form.has(name)) return undefined
  return [...rows.values()]
    .filter((row) => [...row.values()].some((value) => value.trim() !== ''))
    .map((row) => Object.fromEntries(group.map((field) => [field.name, row.get(field.name) ?? ''])))
}
