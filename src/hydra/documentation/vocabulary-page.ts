import { hash } from 'node:crypto'
import type { Document } from '../formats/format.ts'
import type { BoundApi } from '../http/bound-api.ts'
import { supportedClasses } from './api-documentation.ts'

const style =
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}' +
  'dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0 0 1rem}dd{margin:0;overflow-wrap:anywhere}' +
  'nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:0 0 1rem}:target{outline:2px solid}' +
  'pre{white-space:pre-wrap;margin:0}ul,ol{margin:0;padding-left:1.5rem}' +
  '@media(max-width:40rem){dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .5rem}ul,ol{padding-left:1rem}h1{overflow-wrap:anywhere}}'

/** The page may load nothing but its own style, and may run no script. */
export const contentSecurityPolicy =
  `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; ` +
  `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

interface DocumentedOperation {
  method: string
  title: string
  description: string
}

interface DocumentedProperty {
  property: { '@id': string; range?: unknown; supportedOperation?: DocumentedOperation[] }
  title: string
  description?: string
  required: boolean
  writeable: boolean
  'sh:in'?: string[]
}

interface DocumentedClass {
  title: string
  description?: string
  supportedProperty: DocumentedProperty[]
  supportedOperation: DocumentedOperation[]
}

/** The documentation as a page; each term has an anchor with the name of its IRI's fragment. */
export function vocabularyPage(api: BoundApi, document: Document): string {
  const classes = supportedClasses(api) as DocumentedClass[]
  const named = new Set(classes.map(({ title }) => title))
  const anchors = new Set<string>()
  const contents = classes.map(({ title }) => link(title, title)).join(' ')
  const content = `<nav>${contents}</nav>${classes.map(section).join('')}`
  return htmlPage(`Vocabulary of the ${api.info.title}`, content, document)

  function section({ title, description = '', supportedProperty, supportedOperation }: DocumentedClass): string {
    return (
      `<h2${anchor(title)}>${escapeHtml(title)}</h2><p>${escapeHtml(description)}</p>` +
      `<dl>${supportedProperty.map((property) => row(title, property)).join('')}</dl>` +
      operationList(supportedOperation)
    )
  }

  function row(
    name: string,
    { property, title, description = '', required, writeable, ...rest }: DocumentedProperty,
  ): string {
    const iri = property['@id']
    const marks = [required && 'required', writeable && 'writeable'].filter(Boolean).join(', ')
    const values = rest['sh:in'] ? ` One of: ${rest['sh:in'].join(', ')}.` : ''
    const text = `${range(property.range)}${marks && ` (${marks})`} ${escapeHtml(description + values)}`
    return (
      `<dt${anchor(iri.startsWith('#') ? iri.slice(1) : `${name}/${title}`)}>${escapeHtml(title)}</dt>` +
      `<dd>${text}${operationList(property.supportedOperation ?? [])}</dd>`
    )
  }

  /** Writes each anchor once: some properties belong to several classes. */
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

function operationList(found: DocumentedOperation[]): string {
  const items = found.map(
    ({ method, title, description }) =>
      `<li><strong>${method}</strong> ${escapeHtml(title)}. ${escapeHtml(description)}</li>`,
  )
  return items.length > 0 ? `<ul>${items.join('')}</ul>` : ''
}

function link(id: string, text: string): string {
  return `<a href="#${escapeHtml(id)}">${escapeHtml(text)}</a>`
}

/** Wraps content in a page; the document is embedded for machines (JSON-LD 1.1, §7). */
function htmlPage(title: string, content: string, document: Document): string {
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>` +
    `<meta name="viewport" content="width=device-width"><style>${style}</style>` +
    // An escaped `<` cannot end the element or begin a comment.
    `<script type="application/ld+json">${JSON.stringify(document).replaceAll('<', '\\u003c')}</script></head>` +
    `<body><h1>${escapeHtml(title)}</h1>${content}</body></html>`
  )
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
