import { Problem } from '../../hydra/index.ts'
import type { Drawing } from '../drawing.ts'
import type { Collection, Field, PageContent, Shape } from '../engine.ts'
import { amountUnit, currencyField } from '../parts/money.ts'
import { isRecordDate } from '../titles.ts'

/** A calendar of days, of a class with a start and an end. */
export interface Calendar {
  kind: 'calendar'
  name: 'week'
  start: Field
  end: Field
  /** The reference whose items are the lanes. */
  lane?: Field
}

/** Sums by a period, of a class with an amount of money and a date. */
export interface Sums {
  kind: 'sums'
  name: 'days' | 'months'
  by: 'day' | 'month'
  amount: Field
  unit: 'minor' | 'whole'
  currency: Field
  date: Field
}

export type Picture = Calendar | Sums

/** The pictures of a collection. They follow from its class, and from the filters and properties of the caller's role. */
export function picturesOf(drawing: Pick<Drawing, 'api'>, content: PageContent | undefined): Picture[] {
  const { shape, collection } = content ?? {}
  if (!shape || !collection) return []
  return [...calendarsOf(shape, collection), ...sumsOf(drawing, shape, collection)]
}

function calendarsOf(shape: Shape, { search }: Collection): Calendar[] {
  const [start, end] = ['schema:startDate', 'schema:endDate'].map((iri) =>
    shape.fields.find(({ term, datatype }) => term.iri === iri && datatype === 'xsd:dateTime'),
  )
  if (!start || !end || !hasBounds(search, start) || !hasBounds(search, end)) return []
  return [{ kind: 'calendar', name: 'week', start, end, lane: shape.fields.find(({ kind }) => kind === 'reference') }]
}

function sumsOf(drawing: Pick<Drawing, 'api'>, shape: Shape, { search, sums }: Collection): Sums[] {
  const seen = shape.fields.filter(({ name }) => search.columns.has(name))
  const currency = currencyField(shape)
  const amount = seen.find((field) => amountUnit(drawing, shape, field))
  const dates = seen.filter(
    (field) =>
      /^xsd:date(Time)?$/.test(field.datatype ?? '') && !isRecordDate(field.term.iri) && hasBounds(search, field),
  )
  // A date that every row has counts every row.
  const date = dates.find(({ nullable }) => !nullable) ?? dates[0]
  if (!sums || !amount || !date || !currency || !search.columns.has(currency.name)) return []
  const unit = amountUnit(drawing, shape, amount) as Sums['unit']
  const rule = { kind: 'sums', amount, unit, currency, date } as const
  return [
    { ...rule, name: 'days', by: 'day' },
    { ...rule, name: 'months', by: 'month' },
  ]
}

/** Whether the rows of a period can be asked for by a date. */
function hasBounds({ variables }: Collection['search'], { name }: Field): boolean {
  return ['after', 'before'].every((bound) =>
    variables.some((variable) => variable.name === `${name}[strictly_${bound}]`),
  )
}

/** The values of `view` that show a part of a page. */
const parts = ['filters', 'source']

/**
 * The picture that the address asks for; undefined for the table.
 * @throws Problem 400 for a view that the page does not have
 */
export function pictureOf(drawing: Pick<Drawing, 'api' | 'view'>): Picture | undefined {
  const { api, view } = drawing
  if (view.refused) return undefined
  const asked = view.request.query.getAll('view')
  if (asked.length === 0) return undefined
  const pictures = picturesOf(drawing, view.content)
  const names = [...pictures.map(({ name }) => name as string), ...parts]
  // The operation of a form may be offered later again, so the page opens without the form.
  const isForm = (name: string) =>
    api.resources.some(({ operations }) => operations.some((operation) => operation.name === name.split('.').at(-1)))
  const unknown = asked.find((name) => !names.includes(name) && !isForm(name))
  if (unknown !== undefined)
    throw new Problem(400, `This page has no view "${unknown.slice(0, 100)}": it has ${names.join(', ')}.`)
  return pictures.find(({ name }) => asked.includes(name))
}
