import type { ComponentChild, VNode } from 'preact'
import type { Drawing, Title } from '../drawing.ts'
import type { Document, Field, Shape } from '../engine.ts'
import { referenceTitle } from '../titles.ts'
import { labelOf, valueLabelOf } from '../words/labels.ts'
import { markup } from './markup.ts'
import { amountUnit, currencyField, writeAmount } from './money.ts'

/** Draws the value that an item has of a property. */
export type DrawValue = (document: Document) => ComponentChild

/**
 * Returns the function that draws the values of a property. It depends on the property alone, so a table makes it once a column.
 * Values are drawn by functions and not by components, because a table has hundreds of them.
 */
export function valuesOf(drawing: Drawing, shape: Shape, field: Field): DrawValue {
  const draw = drawerOf(drawing, shape, field)
  return (document) => {
    const value = document[field.name]
    if (isEmpty(value)) return markup`<span class="none">&ndash;</span>`
    return Array.isArray(value) ? drawList(value, (one) => draw(one, document)) : draw(value, document)
  }
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

/** Draws one value of a property: by the kind and the datatype of the property, or else by the type of the value. */
function drawerOf(
  drawing: Drawing,
  shape: Shape,
  field: Field,
): (value: unknown, document: Document) => ComponentChild {
  const { api, tag, words, formats } = drawing
  const { kind, datatype, name } = field
  if (kind !== 'value') return (iri) => drawReference(drawing, String(iri))
  if (datatype === 'xsd:dateTime') return (value) => drawTime(drawing, String(value))
  if (datatype === 'xsd:date')
    return (value) => markup`<time datetime="${String(value)}">${formats.date(String(value))}</time>`
  const label = labelOf(api, tag, shape.name, name)
  if (isImage(api, shape, field)) return (value) => <img src={`${value}`} alt={label} loading="lazy" />
  const writeNumber = numbersOf(drawing, shape, field)
  const isAddress = isLink(field)
  return (value, document) => {
    if (typeof value === 'boolean') return value ? words.yes : words.no
    if (typeof value === 'object') return <pre>{JSON.stringify(value, null, 2)}</pre>
    if (typeof value === 'number' || datatype === 'xsd:decimal') return writeNumber(value as number | string, document)
    const text = String(value)
    if (field.values) return valueLabelOf(api, tag, shape.name, name, text)
    return isAddress && isSafe(text) ? <a href={text}>{text}</a> : text
  }
}

/** Links only to this server and to http(s) addresses: `javascript:` must not become a link. */
function isSafe(text: string): boolean {
  return /^(https?:\/\/|\/(?![/\\]))\S*$/i.test(text)
}

/** A moment in the zone of the organization, which the script can change to that of the reader. */
function drawTime({ formats }: Pick<Drawing, 'formats'>, iso: string): VNode {
  return markup`<time datetime="${iso}" title="${formats.zone}">${formats.dateTime(iso)}</time>`
}

/** A title, in which the script can change the time as well. */
export function drawTitle(drawing: Pick<Drawing, 'formats'>, { text, moment }: Title): ComponentChild {
  return moment ? markup`${moment.before}${drawTime(drawing, moment.iso)}` : text
}

/** A reference by the title of its item. An item that the caller may not read has no link. */
export function drawReference(drawing: Drawing, iri: string): ComponentChild {
  const title = drawing.titles.get(iri)
  if (!title) return referenceTitle(drawing, iri)
  return markup`<a href="${drawing.to(iri)}">${drawTitle(drawing, title)}</a>`
}

/** Writes the numbers of a property: an amount of money where the class has a currency. */
function numbersOf(
  drawing: Drawing,
  shape: Shape,
  field: Field,
): (value: number | string, document: Document) => string {
  const { formats } = drawing
  const code = currencyField(shape)?.name
  const unit = code && amountUnit(drawing, shape, field)
  if (!unit) return (value) => formats.number(value)
  return (value, document) => {
    const currency = document[code]
    return typeof currency === 'string' ? writeAmount(drawing, unit, value, currency) : formats.number(value)
  }
}

function isImage({ contexts }: Drawing['api'], { name }: Shape, field: Field): boolean {
  return contexts.read(name).range?.[field.name] === 'schema:ImageObject'
}

/** Whether the values of a property are addresses. A text that only looks like one may lead anywhere. */
function isLink({ term, datatype, rules }: Field): boolean {
  return term.type === '@id' || datatype === 'xsd:anyURI' || rules.some(({ name }) => name === 'isUrl')
}
