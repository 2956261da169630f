import type { Document } from '../formats/format.ts'
import { escapeHtml, htmlPage } from '../formats/html.ts'
import type { BoundApi } from '../http/bound-api.ts'
import { supportedClasses } from './documentation.ts'

interface Operation {
  method: string
  title: string
  description: string
}

interface Property {
  property: { '@id': string; range?: unknown; supportedOperation?: Operation[] }
  title: string
  description?: string
  required: boolean
  writeable: boolean
  'sh:in'?: string[]
}

interface Class {
  title: string
  description?: string
  supportedProperty: Property[]
  supportedOperation: Operation[]
}

/** The documentation as a page: each term of the vocabulary has its anchor, named like the fragment of its IRI. */
export function vocabularyPage(api: BoundApi, document: Document): string {
  const classes = supportedClasses(api) as Class[]
  const named = new Set(classes.map(({ title }) => title))
  const anchors = new Set<string>()
  const contents = classes.map(({ title }) => link(title, title)).join(' ')
  const content = `<nav>${contents}</nav>${classes.map(section).join('')}`
  return htmlPage('Vocabulary of the Organization API', content, document)

  function section({ title, description = '', supportedProperty, supportedOperation }: Class): string {
    return (
      `<h2${anchor(title)}>${escapeHtml(title)}</h2><p>${escapeHtml(description)}</p>` +
      `<dl>${supportedProperty.map((property) => row(title, property)).join('')}</dl>` +
      operations(supportedOperation)
    )
  }

  function row(name: string, { property, title, description = '', required, writeable, ...rest }: Property): string {
    const iri = property['@id']
    const marks = [required && 'required', writeable && 'writeable'].filter(Boolean).join(', ')
    const values = rest['sh:in'] ? ` One of: ${rest['sh:in'].join(', ')}.` : ''
    const said = `${range(property.range)}${marks && ` (${marks})`} ${escapeHtml(description + values)}`
    return (
      `<dt${anchor(iri.startsWith('#') ? iri.slice(1) : `${name}/${title}`)}>${escapeHtml(title)}</dt>` +
      `<dd>${said}${operations(property.supportedOperation ?? [])}</dd>`
    )
  }

  /** An anchor stands once: some properties are of several classes. */
  function anchor(id: string): string {
    if (anchors.has(id)) return ''
    anchors.add(id)
    return ` id="${escapeHtml(id)}"`
  }

  function range(of: unknown): string {
    if (typeof of !== 'string') return ''
    return named.has(of.slice(1)) ? link(of.slice(1), of.slice(1)) : escapeHtml(of)
  }
}

function operations(found: Operation[]): string {
  const items = found.map(
    ({ method, title, description }) =>
      `<li><strong>${method}</strong> ${escapeHtml(title)}. ${escapeHtml(description)}</li>`,
  )
  return items.length > 0 ? `<ul>${items.join('')}</ul>` : ''
}

function link(id: string, text: string): string {
  return `<a href="#${escapeHtml(id)}">${escapeHtml(text)}</a>`
}
