import type { EntityMetadata } from 'typeorm'
import type { Api } from './api.ts'
import { unstorable } from './body.ts'
import type { Class } from './operation.ts'
import { Problem } from './problem.ts'
import type { Field, Shape } from './shape.ts'

/** What a collection can be narrowed by, property by property; each is a condition with an index behind it. */
export type Filters = Record<string, FilterKind | FilterKind[]>

export type FilterKind = 'exact' | 'partial' | 'reference' | 'date' | 'boolean' | 'range' | 'exists'

/** A condition of SQL, with `:names` for its values. */
export interface Condition {
  sql: string
  values: Record<string, unknown>
}

/** One variable of a collection's search: how it is written in a query, and which property it is about. */
export interface Variable {
  name: string
  property: string
  /** Makes a condition of the values that were given; throws Problem 400 where one is no good. */
  condition(values: string[], key: string): Condition
}

const mostValues = 100

/** Prepares the filters of a class; those of a property that it does not have stop the boot. */
export function compileFilters(api: Api, shape: Shape, filters: Filters, metadata: EntityMetadata): Variable[] {
  return Object.entries(filters).flatMap(([name, kinds]) => {
    const field = shape.field.get(name)
    if (!field) throw new Error(`${shape.name} has no property "${name}" to be filtered by.`)
    const column = `"${metadata.tableName}"."${field.key ?? name}"`
    return [kinds].flat().flatMap((kind) => makers[kind](api, field, column))
  })
}

/** Every variable that the query gives, as a condition; repeated ones widen it. */
export function conditionsOf(variables: Variable[], query: URLSearchParams): Condition[] {
  if (query.size === 0) return []
  const given = new Map<string, string[]>()
  for (const [name, value] of query) {
    const plain = name.replace(/\[\d*\]$/, '')
    for (const known of plain === name ? [name] : [name, plain]) {
      const values = given.get(known)
      if (values) values.push(value)
      else given.set(known, [value])
    }
  }
  return variables.flatMap((variable, index) => {
    const values = given.get(variable.name)
    if (!values) return []
    if (values.length > mostValues) throw bad(variable.name, `at most ${mostValues} values`)
    return [variable.condition(values, `f${index}`)]
  })
}

type Maker = (api: Api, field: Field, column: string) => Variable[]

const makers: Record<FilterKind, Maker> = {
  exact: (_, { name, datatype }, column) => [
    {
      name,
      property: name,
      condition: (values, key) =>
        among(
          column,
          key,
          values.map((value) => read(name, datatype, value)),
          wide(datatype, '[]'),
        ),
    },
  ],
  partial: (_, { name }, column) => [
    { name, property: name, condition: (values, key) => containing(column, key, texts(name, values)) },
  ],
  reference: (api, { name, target }, column) => [
    { name, property: name, condition: (values, key) => among(column, key, idsOf(api, name, target as Class, values)) },
  ],
  boolean: (_, { name }, column) => [
    {
      name,
      property: name,
      condition: (values, key) =>
        among(
          column,
          key,
          values.map((value) => truth(name, value)),
        ),
    },
  ],
  exists: (_, { name }, column) => [
    {
      name: `exists[${name}]`,
      property: name,
      condition: (values, key) =>
        either(values, key, (value) => ({
          sql: `${column} IS ${truth(`exists[${name}]`, value || 'true') ? 'NOT NULL' : 'NULL'}`,
          values: {},
        })),
    },
  ],
  date: (_, field, column) =>
    comparisons(field, column, { before: '<=', strictly_before: '<', after: '>=', strictly_after: '>' }),
  range: (_, field, column) => [
    between(field, column),
    ...comparisons(field, column, { gt: '>', gte: '>=', lt: '<', lte: '<=' }),
  ],
}

/** The filter by IRI that every collection takes: clients fetch references by it. */
export function idVariable(api: Api, { class: type, field }: Shape, table: string): Variable {
  return {
    name: 'id',
    property: field.has('id') ? 'id' : 'schema:identifier',
    condition: (values, key) => among(`"${table}"."id"`, key, idsOf(api, 'id', type, values)),
  }
}

/** Free text over some properties; an empty one is looked for nowhere. */
export function textVariable(columns: string[]): Variable {
  return {
    name: 'q',
    property: 'hydra:freetextQuery',
    condition: (values, key) => {
      const wanted = texts('q', values).filter((text) => text !== '')
      if (wanted.length === 0) return { sql: 'true', values: {} }
      const conditions = columns.map((column) => containing(column, key, wanted))
      return { sql: `(${conditions.map(({ sql }) => sql).join(' OR ')})`, values: conditions[0].values }
    },
  }
}

function comparisons(field: Field, column: string, operators: Record<string, string>): Variable[] {
  return Object.entries(operators).map(([operator, sql]) => {
    const name = `${field.name}[${operator}]`
    return {
      name,
      property: field.name,
      condition: (values, key) =>
        either(values, key, (value, at) => ({
          sql: `${column} ${sql} :${at}${wide(field.datatype)}`,
          values: { [at]: read(name, field.datatype, value) },
        })),
    }
  })
}

function between(field: Field, column: string): Variable {
  const name = `${field.name}[between]`
  const cast = wide(field.datatype)
  return {
    name,
    property: field.name,
    condition: (values, key) =>
      either(values, key, (value, at) => {
        const ends = value.split('..')
        if (ends.length !== 2) throw bad(name, 'two numbers with ".." between them')
        const [from, to] = ends.map((end) => read(name, field.datatype, end))
        return {
          sql: `${column} BETWEEN :${at}from${cast} AND :${at}to${cast}`,
          values: { [`${at}from`]: from, [`${at}to`]: to },
        }
      }),
  }
}

const among = (column: string, key: string, values: unknown[], cast = ''): Condition => ({
  sql: `${column} = ANY(:${key}${cast})`,
  values: { [key]: values },
})

/** A condition for each value, of which one must hold. */
function either(values: string[], key: string, one: (value: string, key: string) => Condition): Condition {
  const conditions = values.map((value, index) => one(value, `${key}x${index}`))
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(' OR ')})`,
    values: Object.assign({}, ...conditions.map((condition) => condition.values)),
  }
}

/** One comparison a value, since a trigram index does not serve ILIKE ANY. */
function containing(column: string, key: string, values: string[]): Condition {
  return either(values, key, (value, at) => ({
    sql: `${column} ILIKE :${at}`,
    values: { [at]: `%${value.replace(/[\\%_]/g, '\\$&')}%` },
  }))
}

/** Integers are compared as the widest, so that none that is asked for is out of a column's range. */
const wide = (datatype: string | null, list = '') => (datatype === 'xsd:integer' ? `::int8${list}` : '')

function texts(name: string, values: string[]): string[] {
  return values.map((value) => read(name, 'xsd:string', value) as string)
}

/** Reads a value as its property's type has it. */
export function read(name: string, datatype: string | null, value: string): unknown {
  if (datatype === 'xsd:integer') {
    if (!/^-?\d{1,15}$/.test(value)) throw bad(name, 'a whole number of at most fifteen digits')
    return Number(value)
  }
  if (datatype === 'xsd:dateTime') return moment(name, value)
  if (datatype === 'xsd:date') return day(name, value)
  if (datatype === 'xsd:decimal') {
    if (!/^-?\d{1,15}(\.\d{1,6})?$/.test(value)) throw bad(name, 'a number with a dot before its decimals')
    return value
  }
  if ([...value].length > 255 || unstorable(value)) throw bad(name, 'a text of at most 255 characters')
  return value
}

const rfc3339 = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d))?$/i

/** A date-time with its offset, or a day, which begins at midnight UTC. */
function moment(name: string, value: string): Date {
  const date = new Date(rfc3339.test(value) ? value : Number.NaN)
  const rolled =
    !Number.isNaN(date.getTime()) &&
    new Date(`${value.slice(0, 10)}T00:00:00Z`).toISOString().slice(0, 10) !== value.slice(0, 10)
  if (Number.isNaN(date.getTime()) || rolled)
    throw bad(name, 'a day, or a date-time with an offset (RFC 3339; write its "+" as "%2B")')
  return date
}

/** A day; that of a moment is UTC's. */
function day(name: string, value: string): string {
  const [found] = moment(name, value).toISOString().split('T')
  if (found.length > 10 || found < '0001') throw bad(name, 'a day, such as 2026-03-01')
  return found
}

function truth(name: string, value: string): boolean {
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw bad(name, 'true or false')
}

/** The ids that IRIs, or bare ids, name; an IRI that no item can have is as good as one that none has. */
function idsOf(api: Api, name: string, target: Class, values: string[]): string[] {
  const { store, resource } = api.of(target)
  return values.flatMap((value) => {
    const named = api.parse(value)
    if (named?.bound.resource === resource) return store.accepts(named.id) ? [named.id] : []
    if (value.includes('/') || !store.accepts(value)) throw bad(name, `IRIs such as "${resource.path}/…"`)
    return [value]
  })
}

function bad(name: string, expected: string): Problem {
  return new Problem(400, `The parameter "${name}" takes ${expected}.`)
}
