import type { ComponentChild } from 'preact'
import type { Drawing } from '../drawing.ts'
import type { Document, Field, Shape } from '../engine.ts'
import { referenceTitle } from '../titles.ts'
import { labelOf, valueLabelOf } from '../words/labels.ts'
import { markup } from './markup.ts'
import { amountUnit, currencyField, writeAmount } from './money.ts'

/** A property of an item, and the page that shows it. */
export interface Place {
  drawing: Drawing
  shape: Shape
  field: Field
  /** The item that has the value. */
  document: Document
}

/** A value of a property, for people. This is a function and no component, because a table has hundreds of values. */
export function drawValue(place: Place): ComponentChild {
  const { drawing, field, document } = place
  const value = document[field.name]
  if (isEmpty(value)) return markup`<span class="none">–</span>`
  if (!Array.isArray(value)) return drawOne(place, value)
  if (field.kind === 'references') return drawList(value, (iri) => drawReference(drawing, String(iri)))
  return drawList(value, (one) => drawOne(place, one))
}

/** Whether a property has no value. */
export function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

function drawList(values: unknown[], draw: (value: unknown) => ComponentChild): ComponentChild {
  return (
    <ul class="values">
      {values.map((value) => (
        <li key={String(value)}>{draw(value)}</li>
      ))}
    </ul>
  )
}

function drawOne({ drawing, shape, field, document }: Place, value: unknown): ComponentChild {
  const { api, tag, words, formats } = drawing
  const { kind, datatype } = field
  if (kind === 'reference') return drawReference(drawing, String(value))
  if (typeof value === 'boolean') return value ? words.yes : words.no
  if (typeof value === 'object') return <pre>{JSON.stringify(value, null, 2)}</pre>
  if (typeof value === 'number') return amountOf(drawing, shape, field, document) ?? formats.number(value)
  const text = String(value)
  if (field.values) return valueLabelOf(api, tag, shape.name, field.name, text)
  if (datatype === 'xsd:dateTime')
    return markup`<time datetime="${text}" title="${formats.zone}">${formats.dateTime(text)}</time>`
  if (datatype === 'xsd:date') return markup`<time datetime="${text}">${formats.date(text)}</time>`
  if (datatype === 'xsd:decimal') return amountOf(drawing, shape, field, document) ?? formats.number(text)
  if (isImage(api, shape, field))
    return <img src={text} alt={labelOf(api, tag, shape.name, field.name)} loading="lazy" />
  return isLink(field) && isSafe(text) ? <a href={text}>{text}</a> : text
}

/** Links only to this server and to http(s) addresses: `javascript:` must not become a link. */
function isSafe(text: string): boolean {
  return /^(https?:\/\/|\/(?![/\\]))\S*$/i.test(text)
}

/** A reference by the title of its item. An item that the caller may not read has no link. */
export function drawReference(drawing: Drawing, iri: string): ComponentChild {
  const title = referenceTitle(drawing, iri)
  return drawing.titles.has(iri) ? markup`<a href="${drawing.to(iri)}">${title}</a>` : title
}

/** An amount of money, where the class has a currency and the property is an amount; undefined for other numbers. */
function amountOf(drawing: Drawing, shape: Shape, field: Field, document: Document): string | undefined {
  const code = currencyField(shape)?.name
  const currency = code && document[code]
  if (typeof currency !== 'string') return undefined
  const unit = amountUnit(drawing, shape, field)
  return unit && writeAmount(drawing, unit, document[field.name] as number | string, currency)
}

function isImage({ contexts }: Drawing['api'], { name }: Shape, field: Field): boolean {
  return contexts.read(name).range?.[field.name] === 'schema:ImageObject'
}

/** Whether the values of a property are addresses. A text that only looks like one may lead anywhere. */
function isLink({ term, datatype, rules }: Field): boolean {
  return term.type === '@id' || datatype === 'xsd:anyURI' || rules.some(({ name }) => name === 'isUrl')
}
