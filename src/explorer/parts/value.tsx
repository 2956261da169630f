import type { Drawing } from '../drawing.ts'
import type { Document, Field, Shape } from '../engine.ts'
import { referenceTitle } from '../titles.ts'
import { labelOf } from '../words/labels.ts'

interface Place {
  drawing: Drawing
  shape: Shape
  field: Field
  /** The item that has the value. */
  document: Document
}

/** A value of a property, for people. */
export function Value(place: Place) {
  const { drawing, field, document } = place
  const value = document[field.name]
  if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0))
    return <span class="none">–</span>
  if (Array.isArray(value) && field.datatype !== null)
    return <List values={value.map((one) => <Single {...place} value={one} key={String(one)} />)} />
  if (field.kind === 'references')
    return <List values={(value as string[]).map((iri) => <Reference drawing={drawing} iri={iri} key={iri} />)} />
  return <Single {...place} value={value} />
}

function List({ values }: { values: preact.ComponentChild[] }) {
  return (
    <ul class="values">
      {values.map((value, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a page is drawn once
        <li key={index}>{value}</li>
      ))}
    </ul>
  )
}

function Single({ drawing, shape, field, document, value }: Place & { value: unknown }) {
  const { api, tag, words, formats } = drawing
  if (field.kind === 'reference') return <Reference drawing={drawing} iri={String(value)} />
  if (typeof value === 'boolean') return <>{value ? words.yes : words.no}</>
  if (typeof value === 'object') return <pre>{JSON.stringify(value, null, 2)}</pre>
  if (typeof value === 'number') return <>{amountOf(drawing, shape, field, document) ?? formats.number(value)}</>
  const text = String(value)
  if (field.datatype === 'xsd:dateTime') return <DateTime {...drawing} iso={text} />
  if (field.datatype === 'xsd:date') return <time dateTime={text}>{formats.date(text)}</time>
  if (field.datatype === 'xsd:decimal') return <>{amountOf(drawing, shape, field, document) ?? formats.number(text)}</>
  if (isImage(api, shape, field))
    return <img src={text} alt={labelOf(api, tag, shape.name, field.name)} loading="lazy" />
  if (/^(https?:\/\/|\/(?![/\\]))\S+$/i.test(text) && isLink(field)) return <a href={text}>{text}</a>
  return <>{text}</>
}

/** A date-time in the organization's time zone; the name of the zone stands beside it, as its title. */
export function DateTime({ formats, iso }: Pick<Drawing, 'formats'> & { iso: string }) {
  return (
    <time dateTime={iso} title={formats.zone}>
      {formats.dateTime(iso)}
    </time>
  )
}

/** A reference by the title of its item. An item that the caller may not read has no link. */
export function Reference({ drawing, iri }: { drawing: Drawing; iri: string }) {
  const title = referenceTitle(drawing, iri)
  return drawing.titles.has(iri) ? <a href={drawing.to(iri)}>{title}</a> : <>{title}</>
}

/** An amount of money, where the class has a currency and the property is an amount; undefined for other numbers. */
function amountOf({ api, formats }: Drawing, shape: Shape, field: Field, document: Document): string | undefined {
  const code = shape.fields.find(({ term }) => /^schema:(priceC|c)urrency$/.test(term.iri))?.name
  const currency = code && document[code]
  if (typeof currency !== 'string') return undefined
  const value = document[field.name]
  if (api.contexts.read(shape.name).minorUnits?.includes(field.name))
    return formats.minorUnits(value as number, currency)
  return field.datatype === 'xsd:decimal' ? formats.money(value as string, currency) : undefined
}

function isImage({ contexts }: Drawing['api'], { name }: Shape, field: Field): boolean {
  return contexts.read(name).range?.[field.name] === 'schema:ImageObject'
}

/** Whether the values of a property are addresses. A text that only looks like one may lead anywhere. */
function isLink({ term, datatype, rules }: Field): boolean {
  return term.type === '@id' || datatype === 'xsd:anyURI' || rules.some(({ name }) => name === 'isUrl')
}
