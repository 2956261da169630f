import type { EntityMetadata } from 'typeorm'
import type { Cursor, Sort } from '../model/page.ts'
import { Problem } from '../model/problem.ts'

/**
 * The order that a query asks for; properties that cannot be ordered by, and odd directions, are passed over.
 * Of a property that is named again the first direction counts, so that no query grows with what is sent.
 */
export function orderOf(query: URLSearchParams, sortable: string[]): Sort[] {
  const order = new Map<string, Sort>()
  if (query.size === 0) return []
  for (const [name, value] of query) {
    const property = /^order\[(\w+)\]$/.exec(name)?.[1]
    const direction = value.toLowerCase()
    if (property && sortable.includes(property) && ['asc', 'desc'].includes(direction) && !order.has(property))
      order.set(property, { property, descending: direction === 'desc' })
  }
  return [...order.values()]
}

/** Makes the cursor of a row. */
export function cursorOf(row: object, order: Sort[]): string {
  const values = total(order).map(({ property }) => (row as Record<string, unknown>)[property])
  return Buffer.from(JSON.stringify(values)).toString('base64url')
}

/** @throws Problem 400 when it is no cursor of a collection in this order. */
export function readCursor(name: string, text: string, order: Sort[], metadata: EntityMetadata): Cursor {
  const values = parse(text)
  const columns = total(order).map(({ property }) => property)
  const typed = columns.map((property, index) => {
    const type = metadata.columns.find(({ propertyName }) => propertyName === property)?.type
    return readValue(String(type), values?.[index])
  })
  if (!Array.isArray(values) || values.length !== columns.length || typed.includes(undefined))
    throw new Problem(400, `"${name}" is no cursor of this collection: follow the links of its view.`)
  return typed
}

/** Writes a property of a table as it is ordered by, in SQL. */
export type Column = (property: string) => string

/** The columns of a table; its texts, but for a key, have an order of their own where a collation is given. */
export function columnsOf({ tableName, columns }: EntityMetadata, collation?: string): Column {
  const texts = columns
    .filter(({ type, isPrimary }) => type === 'text' && !isPrimary)
    .map(({ propertyName }) => propertyName)
  const suffix = collation ? ` COLLATE "${collation}"` : ''
  return (property) => `"${tableName}"."${property}"${texts.includes(property) ? suffix : ''}`
}

/** ORDER BY for an order, or for the same one read from its end; the id comes last and decides. */
export function orderBy(column: Column, order: Sort[], backwards: boolean): string {
  return total(order)
    .map(({ property, descending }) => `${column(property)}${descending === backwards ? '' : ' DESC'}`)
    .join(', ')
}

/** The condition that rows lie beyond a cursor, in the direction of reading; values are `:c0`, `:c1` … */
export function afterCursor(columns: Column, order: Sort[], backwards: boolean): string {
  const steps = total(order)
  const operator = ({ descending }: Sort) => (descending === backwards ? '>' : '<')
  const column = ({ property }: Sort) => columns(property)
  if (new Set(steps.map(operator)).size === 1)
    return `(${steps.map(column).join(', ')}) ${operator(steps[0])} (${steps.map((_, index) => `:c${index}`).join(', ')})`
  const ways = steps.map((step, index) => [
    ...steps.slice(0, index).map((before, equal) => `${column(before)} = :c${equal}`),
    `${column(step)} ${operator(step)} :c${index}`,
  ])
  // Said first and again, since an index finds the place by a plain bound only.
  return `(${column(steps[0])} ${operator(steps[0])}= :c0 AND (${ways.map((way) => way.join(' AND ')).join(' OR ')}))`
}

/** The id decides between rows that are otherwise equal, in the direction of the last step. */
function total(order: Sort[]): Sort[] {
  if (order.some(({ property }) => property === 'id')) return order
  return [...order, { property: 'id', descending: order.at(-1)?.descending ?? false }]
}

function parse(text: string): unknown[] | undefined {
  try {
    const values = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(values) ? values : undefined
  } catch {
    return undefined
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** More than any text that can be ordered by has, in UTF-16. */
const longest = 1000

function readValue(type: string, value: unknown): unknown {
  if (/^(small|big)?int/.test(type)) return Number.isSafeInteger(value) ? value : undefined
  if (typeof value !== 'string' || value.length > longest || value.includes('\0') || !value.isWellFormed())
    return undefined
  if (type === 'uuid') return uuid.test(value) ? value : undefined
  if (type === 'numeric') return /^-?\d{1,30}(\.\d{1,30})?$/.test(value) ? value : undefined
  if (type === 'date') return isDay(value) ? value : undefined
  if (!type.startsWith('timestamp')) return value
  const date = new Date(value)
  return /^\d{4}-/.test(value) && !Number.isNaN(date.getTime()) && date.toISOString() === value ? date : undefined
}

function isDay(text: string): boolean {
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : Number.NaN)
  return text > '0001' && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}
