import { plainToInstance } from 'class-transformer'
import type { EntityMetadata } from 'typeorm'
import type { ApiModel } from '../model/api-model.ts'
import type { Class } from '../model/class.ts'
import type { Condition, FilterKind, Variable } from '../model/filter.ts'
import { isLocal, type LocalTime } from '../model/local-time.ts'
import type { ResourceOptions } from '../model/resource.ts'
import { type Field, isAddress, type Shape } from '../model/shape.ts'
import { between, comparisons, wide } from './comparisons.ts'
import { badFilterValue, booleanValue, idsOf, readValue, textValue, textValues } from './filter-values.ts'
import { fold, wordsOf } from './fold-text.ts'
import { containsText, isOneOf, isOneOfCaseless, isOneOfIds } from './sql-condition.ts'

/** How many values a filter takes unless it says otherwise. */
export const maxValues = 100

/** Each text is looked for on its own, so a few cost as much as a hundred values of other filters. */
export const maxTexts = 5

const maxWords = 10

/** Prepares the filters of a class; those of a property that it does not have stop the boot. */
export function compileFilters(
  api: ApiModel,
  shape: Shape,
  { filters = {}, text = [] }: Pick<ResourceOptions<object>, 'filters' | 'text'>,
  metadata: EntityMetadata,
): Variable[] {
  return Object.entries(filters).flatMap(([name, kinds]) => {
    const field = shape.field.get(name)
    if (!field) throw new Error(`${shape.name} has no property "${name}" to be filtered by.`)
    const column = `"${metadata.tableName}"."${field.key ?? name}"`
    const folded = text.includes(name) ? foldedColumn(metadata) : undefined
    return [kinds].flat().flatMap((kind) => {
      const variables = makers[kind](api, field, column, folded)
      const isText = kind === 'exact' || kind === 'partial'
      return isText ? variables.map((variable) => ({ ...variable, stored: storedAs(shape, field) })) : variables
    })
  })
}

/** Reads the value of a filter as that of a body; undefined where that changes nothing. */
function storedAs({ class: type }: Shape, { name, writable, datatype }: Field): Variable['stored'] {
  if (!writable || datatype !== 'xsd:string') return undefined
  const plain = type as unknown as new () => Record<string, string>
  return (value) => plainToInstance(plain, { [name]: value })[name]
}

/** Every variable that the query gives, as a condition; repeated ones widen it. */
export async function conditionsOf(
  variables: Variable[],
  query: URLSearchParams,
  localTime: () => Promise<LocalTime | undefined>,
): Promise<Condition[]> {
  if (query.size === 0) return []
  const read = [...query.values()].some(isLocal) ? await localTime() : undefined
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
    const { name, stored, maxValues: most = maxValues } = variable
    const sent = given.get(name)
    const values = stored && sent ? sent.map(stored).filter((value) => value.trim() !== '') : sent
    if (!values?.length) return []
    if (values.length > most) throw badFilterValue(name, `at most ${most} values`)
    return [variable.condition(read ? values.map((value) => located(variable, value, read)) : values, `f${index}`)]
  })
}

/** Gives a date-time its offset; its day is the one that is written. */
function located({ moment }: Variable, value: string, read: LocalTime): string {
  if (!moment || !isLocal(value)) return value
  return moment === 'day' ? read(value).slice(0, 10) : read(value)
}

/** The column in which the texts of a row are kept folded. */
export const foldedColumn = ({ tableName }: EntityMetadata): string => `"${tableName}"."searchText"`

type Maker = (api: ApiModel, field: Field, column: string, folded: string | undefined) => Variable[]

const makers: Record<FilterKind, Maker> = {
  exact: (api, field, column) => {
    const { name, datatype } = field
    const take = (value: string) => spelled(api, field, readValue(name, datatype, value))
    return [equal(name, column, take, wide(datatype, '[]'))]
  },
  caseless: (_, { name }, column) => [
    { name, property: name, condition: (values, key) => isOneOfCaseless(column, key, textValues(name, values)) },
  ],
  upper: (_, { name }, column) => [equal(name, column, (value) => textValue(name, value).toUpperCase())],
  lower: (_, { name }, column) => [equal(name, column, (value) => textValue(name, value).toLowerCase())],
  partial: (_, { name }, column, folded) => [
    {
      name,
      property: name,
      maxValues: maxTexts,
      condition: (values, key) => containsText(column, key, textValues(name, values), folded),
    },
  ],
  reference: (api, { name, key: foreignKey = name, target }, column) => [
    {
      name,
      property: name,
      condition: (values, key) => isOneOfIds(column, foreignKey, key, idsOf(api, name, target as Class, values)),
    },
  ],
  boolean: (_, { name }, column) => [equal(name, column, (value) => booleanValue(name, value))],
  exists: (_, { name }, column) => [
    {
      name: `exists[${name}]`,
      property: name,
      condition: (values) => {
        const wanted = new Set(values.map((value) => booleanValue(`exists[${name}]`, value || 'true')))
        const sql = wanted.size > 1 ? 'true' : `${column} IS ${wanted.has(true) ? 'NOT NULL' : 'NULL'}`
        return { sql, values: {} }
      },
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
export function idVariable(api: ApiModel, { class: type, field }: Shape, table: string): Variable {
  return {
    name: 'id',
    property: field.has('id') ? 'id' : 'schema:identifier',
    condition: (values, key) => {
      const ids = idsOf(api, 'id', type, values)
      return { ...isOneOf(`"${table}"."id"`, key, ids), holds: ({ id }) => ids.includes(id) }
    },
  }
}

/** Free text over the texts of a row; an empty one is looked for nowhere. */
export function textVariable(mentioned: (key: string, values: string[]) => Condition): Variable {
  return {
    name: 'q',
    property: 'hydra:freetextQuery',
    maxValues: maxTexts,
    condition: (values, key) => {
      const wanted = textValues('q', values).filter((text) => text.trim() !== '')
      if (wanted.length === 0) return { sql: 'true', values: {}, holds: () => true }
      if (wanted.some((text) => wordsOf(fold(text)).length > maxWords))
        throw badFilterValue('q', `at most ${maxWords} words a value`)
      return mentioned(key, wanted)
    },
  }
}

/** A property is one of the values, each as it is read. */
function equal(name: string, column: string, meant: (value: string) => unknown, cast?: string): Variable {
  return { name, property: name, condition: (values, key) => isOneOf(column, key, values.map(meant), cast) }
}

/** The address of something of this server has one spelling, in which it is stored. */
function spelled(api: ApiModel, field: Field, value: unknown): unknown {
  if (!isAddress(field)) return value
  const found = api.iris.parse(value as string)
  return found ? `${found.resource.path}/${encodeURIComponent(found.id)}` : (api.iris.local(value as string) ?? value)
}
