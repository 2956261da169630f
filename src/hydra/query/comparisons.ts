import type { Condition, Variable } from '../model/filter.ts'
import type { Field } from '../model/shape.ts'
import { badFilterValue, greatest, least, quantity } from './filter-values.ts'

/** Of several values the loosest decides, since one of them must hold. */
export function comparisons(field: Field, column: string, operators: Record<string, string>): Variable[] {
  const { name: property, datatype } = field
  return Object.entries(operators).map(([operator, sql]) => {
    const name = `${property}[${operator}]`
    const condition = (values: string[], key: string): Condition => {
      const read = values.map((value) => quantity(name, datatype, value))
      const { value } = sql.startsWith('<') ? greatest(read) : least(read)
      return { sql: `${column} ${sql} :${key}${wide(datatype)}`, values: { [key]: value }, ...leaking(datatype) }
    }
    const moment = datatype === 'xsd:dateTime' ? 'dateTime' : datatype === 'xsd:date' ? 'day' : undefined
    return { name, property, moment, condition }
  })
}

/** Several intervals are one multirange, in which Postgres looks a number up. An index is read between their ends. */
export function between({ name: property, datatype }: Field, column: string): Variable {
  const name = `${property}[between]`
  const condition = (values: string[], key: string): Condition => {
    const intervals = values.map((value) => {
      const ends = value.split('..')
      if (ends.length !== 2) throw badFilterValue(name, 'two numbers with ".." between them')
      return ends.map((end) => quantity(name, datatype, end))
    })
    const possible = intervals.filter(([from, to]) => from.rank <= to.rank)
    if (possible.length === 0) return { sql: 'false', values: {} }
    const [from, to] = [least(possible.map(([end]) => end)), greatest(possible.map(([, end]) => end))]
    const outer = `${column} BETWEEN :${key}from${wide(datatype)} AND :${key}to${wide(datatype)}`
    const ends = { [`${key}from`]: from.value, [`${key}to`]: to.value }
    if (possible.length === 1) return { sql: outer, values: ends, ...leaking(datatype) }
    const inner = `${column}::numeric <@ :${key}::nummultirange`
    const ranges = `{${possible.map(([from, to]) => `[${from.value},${to.value}]`).join(',')}}`
    return { sql: `(${outer} AND ${inner})`, values: { ...ends, [key]: ranges }, ...leaking(datatype) }
  }
  return { name, property, condition }
}

/** Comparisons of numeric are not leakproof, and those of integers and times are. */
const leaking = (datatype: string | null): Pick<Condition, 'leaks'> =>
  datatype === 'xsd:decimal' ? { leaks: true } : {}

/** Integers are compared as the widest, so that none that is asked for is out of a column's range. */
export const wide = (datatype: string | null, list = '') => (datatype === 'xsd:integer' ? `::int8${list}` : '')
