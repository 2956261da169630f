import type { ComponentChild } from 'preact'
import type { Drawing } from '../drawing.ts'
import type { Document } from '../engine.ts'
import { markup } from './markup.ts'

type Definition = string | { '@id'?: string; '@type'?: string } | undefined
type Linker = (type: string | undefined, key: string, value: string) => string | undefined

/** A document in JSON-LD, in which every IRI is a link. */
export function LinkedJson({ drawing, document }: { drawing: Drawing; document: Document }) {
  const pieces: ComponentChild[] = ['']
  write(pieces, document, '', '', linkerOf(drawing, document))
  return (
    <pre>
      <code>{pieces}</code>
    </pre>
  )
}

/** Writes a value as JSON with two spaces of indentation, as `JSON.stringify` does. */
function write(pieces: ComponentChild[], value: unknown, key: string, indent: string, linkOf: Linker): void {
  if (Array.isArray(value) && value.length > 0) {
    writeList(
      pieces,
      ['[', ']'],
      indent,
      value.map((item) => ['', item] as const),
      (inner, item) => write(pieces, item, key, inner, linkOf),
    )
  } else if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    const entries = Object.entries(value).filter(([, held]) => held !== undefined)
    const named = entries.map(([name, held]) => [`${JSON.stringify(name)}: `, { name, held }] as const)
    writeList(pieces, ['{', '}'], indent, named, (inner, { name, held }) =>
      name === '@context' && typeof held === 'object'
        ? addText(pieces, JSON.stringify(held))
        : write(pieces, held, name, inner, linkOf),
    )
  } else if (typeof value === 'string') writeText(pieces, value, linkOf(undefined, key, value))
  else addText(pieces, JSON.stringify(value))
}

function writeList<T>(
  pieces: ComponentChild[],
  [open, close]: [string, string],
  indent: string,
  items: (readonly [before: string, item: T])[],
  writeItem: (indent: string, item: T) => void,
): void {
  const inner = `${indent}  `
  items.forEach(([before, item], index) => {
    addText(pieces, `${index === 0 ? open : ','}\n${inner}${before}`)
    writeItem(inner, item)
  })
  addText(pieces, `\n${indent}${close}`)
}

function writeText(pieces: ComponentChild[], text: string, href: string | undefined): void {
  const json = JSON.stringify(text)
  if (href === undefined) addText(pieces, json)
  else {
    addText(pieces, '"')
    pieces.push(markup`<a href="${href}">${json.slice(1, -1)}</a>`, '"')
  }
}

/** Adds text to the last piece, as a document has thousands of short texts. */
function addText(pieces: ComponentChild[], text: string): void {
  const last = pieces.length - 1
  if (typeof pieces[last] === 'string') pieces[last] += text
  else pieces.push(text)
}

/** Finds the target of a text by the definition of its term: only this server, and http(s) addresses. */
function linkerOf(drawing: Drawing, { '@context': context }: Document): Linker {
  const name = typeof context === 'string' ? context.slice(context.lastIndexOf('/') + 1) : ''
  const terms = (drawing.api.context(name)?.['@context'] ?? {}) as Record<string, Definition>
  const typeOf = (key: string) => {
    const definition = terms[key]
    return typeof definition === 'object' ? definition['@type'] : undefined
  }
  return (_, key, value) => {
    const type = typeOf(key.replace(/^hydra:/, ''))
    if (key === '@type' || type === '@vocab') return documented(drawing, iriOf(terms, value))
    if (key !== '@id' && key !== '@context' && type !== '@id') return undefined
    return /^(https?:\/\/|\/(?![/\\]))/i.test(value) ? documented(drawing, value) : undefined
  }
}

function iriOf(terms: Record<string, Definition>, name: string): string {
  const definition = terms[name]
  const id = (typeof definition === 'object' ? definition['@id'] : definition) ?? name
  const [, prefix, rest] = /^(\w+):(?!\/\/)(.*)$/.exec(id) ?? []
  if (typeof terms[prefix] === 'string') return `${terms[prefix]}${rest}`
  return /^https?:/.test(id) ? id : `${terms['@vocab'] ?? ''}${id}`
}

/** Terms of the API's own vocabulary are explained in the reference. */
function documented({ api: { vocabulary, iris }, to }: Drawing, iri: string): string {
  return iri.startsWith(vocabulary) ? to(`${iris.at('/docs/reference')}#${iri.slice(vocabulary.length)}`) : iri
}
