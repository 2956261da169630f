import { type Options, stringify } from 'csv-stringify/sync'

type Row = Record<string, unknown>

/** A number, or a telephone number in international form: neither can be a harmful formula. */
const numeric = /^([+-]?\d+(\.\d+)?|\+\d[\d -]*)$/

/**
 * Writes the members of a collection as RFC 4180 CSV: a column for every property of the class, then one for every link.
 * Text that a spreadsheet would run as a formula gets an apostrophe (OWASP CSV injection).
 */
export function writeCsv(members: Row[], properties: string[]): string {
  const columns = new Set(['@id', '@type', ...properties, ...members.flatMap(Object.keys)])
  return writeCsvHeader([...columns]) + writeCsvRows(members, [...columns])
}

/** Writes rows without a header, so that a long table can be written in parts. */
export function writeCsvRows(members: Row[], columns: string[]): string {
  return stringify(
    members.map((member) => columns.map((name) => cell(member[name]))),
    dialect(false),
  )
}

/** Writes the header of such a table. */
export function writeCsvHeader(columns: string[]): string {
  return stringify([columns], dialect(true))
}

const dialect = (isHeader: boolean): Options => ({
  record_delimiter: 'windows',
  escape_formulas: true,
  quoted_match: /[\r\n]/,
  cast: {
    boolean: String,
    string: (value) => ({ value, escape_formulas: !isHeader && !numeric.test(value) }),
  },
})

/** IRIs contain no spaces, so a list of them is joined by spaces; any other object is written as JSON. */
function cell(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const list = Array.isArray(value) && value.every((item) => typeof item === 'string' && !/\s/.test(item))
  return list ? value.join(' ') : JSON.stringify(value)
}
