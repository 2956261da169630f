import type { EntityMetadata } from 'typeorm'
import type { Api } from './api.ts'
import { among, type Condition, containing, either } from './conditions.ts'
import { bad, idsOf, read, texts, truth } from './filter-values.ts'
import type { Class } from './operation.ts'
import type { Field, Shape } from './shape.ts'

/** What a collection can be narrowed by, property by property; each is a condition with an index behind it. */
export type Filters = Record<string, FilterKind | FilterKind[]>

export type FilterKind = 'exact' | 'partial' | 'reference' | 'date' | 'boolean' | 'range' | 'exists'

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
    equal(name, column, (value) => read(name, datatype, value), wide(datatype, '[]')),
  ],
  partial: (_, { name }, column) => [
    { name, property: name, condition: (values, key) => containing(column, key, texts(name, values)) },
  ],
  reference: (api, { name, target }, column) => [
    { name, property: name, condition: (values, key) => among(column, key, idsOf(api, name, target as Class, values)) },
  ],
  boolean: (_, { name }, column) => [equal(name, column, (value) => truth(name, value))],
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

/** A property is one of the values, each as it is read. */
function equal(name: string, column: string, meant: (value: string) => unknown, cast?: string): Variable {
  return { name, property: name, condition: (values, key) => among(column, key, values.map(meant), cast) }
}

function comparisons(field: Field, column: string, operators: Record<string, string>): Variable[] {
  return Object.entries(operators).map(([operator, sql]) =>
    compared(field, operator, (value, at, name) => ({
      sql: `${column} ${sql} :${at}${wide(field.datatype)}`,
      values: { [at]: read(name, field.datatype, value) },
    })),
  )
}

function between(field: Field, column: string): Variable {
  const cast = wide(field.datatype)
  return compared(field, 'between', (value, at, name) => {
    const ends = value.split('..')
    if (ends.length !== 2) throw bad(name, 'two numbers with ".." between them')
    const [from, to] = ends.map((end) => read(name, field.datatype, end))
    return {
      sql: `${column} BETWEEN :${at}from${cast} AND :${at}to${cast}`,
      values: { [`${at}from`]: from, [`${at}to`]: to },
    }
  })
}

/** A property is compared with each value by an operator, which is named in brackets. */
function compared(
  { name: property }: Field,
  operator: string,
  one: (value: string, at: string, name: string) => Condition,
): Variable {
  const name = `${property}[${operator}]`
  return { name, property, condition: (values, key) => either(values, key, (value, at) => one(value, at, name)) }
}

/** Integers are compared as the widest, so that none that is asked for is out of a column's range. */
const wide = (datatype: string | null, list = '') => (datatype === 'xsd:integer' ? `::int8${list}` : '')
