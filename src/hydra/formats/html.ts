import { hash } from 'node:crypto'

type Values = Record<string, unknown>
type Definition = string | { '@id'?: string; '@type'?: string } | undefined

const style =
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}' +
  'dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0 0 1rem}dd{margin:0;overflow-wrap:anywhere}' +
  'nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:0 0 1rem}:target{outline:2px solid}' +
  'pre{white-space:pre-wrap;margin:0}ul,ol{margin:0;padding-left:1.5rem}' +
  '@media(max-width:40rem){dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .5rem}ul,ol{padding-left:1rem}h1{overflow-wrap:anywhere}}'

/** Nothing but its own style may be loaded by a page, and no script at all may run. */
export const policy =
  `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; ` +
  `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** Writes a document as a page for people, where every IRI is a link. */
export function html(document: Values, context: Values): string {
  return shell(
    String(document.name ?? document['@id']),
    `${pager((document.view ?? document['hydra:view']) as Values | undefined)}${page(context).node(document)}`,
    document,
  )
}

/** A page around its content, with the document that it shows for machines to read (JSON-LD 1.1, §7). */
export function shell(title: string, content: string, document: Values): string {
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>` +
    `<meta name="viewport" content="width=device-width"><style>${style}</style>` +
    // No text within it can end the element, nor begin a comment.
    `<script type="application/ld+json">${JSON.stringify(document).replaceAll('<', '\\u003c')}</script></head>` +
    `<body><h1>${escaped(title)}</h1>${content}</body></html>`
  )
}

/** The way to the other pages of a collection, above its members. */
function pager(view: Values | undefined): string {
  const links = ['first', 'previous', 'next', 'last'].flatMap((relation) => {
    const iri = view?.[relation] ?? view?.[`hydra:${relation}`]
    return typeof iri === 'string' ? [link(iri, relation, relation)] : []
  })
  return links.length > 0 ? `<nav>${links.join(' ')}</nav>` : ''
}

function page(context: Values) {
  const definitionOf = (key: string) => context[key] as Definition

  function node(values: Values): string {
    const rows = Object.entries(values).filter(([, value]) => value !== undefined)
    return `<dl>${rows.map(([key, value]) => `<dt>${term(key)}</dt><dd>${said(key, value)}</dd>`).join('')}</dl>`
  }

  function said(key: string, value: unknown): string {
    const definition = definitionOf(key)
    const type = typeof definition === 'object' ? definition['@type'] : undefined
    if (value === null) return '–'
    if (type === '@json') return `<pre>${escaped(JSON.stringify(value, null, 2))}</pre>`
    if (Array.isArray(value)) return `<ul>${value.map((item) => `<li>${said(key, item)}</li>`).join('')}</ul>`
    if (typeof value === 'object') return node(value as Values)
    if (typeof value !== 'string') return escaped(String(value))
    if (key === '@type' || type === '@vocab') return term(value)
    const isIri = key === '@id' || key === '@context' || type === '@id' || /^https?:\/\/\S+$/.test(value)
    return isIri ? link(explained(value), value) : escaped(value)
  }

  /** A name leads to what it means. */
  function term(name: string): string {
    return name[0] === '@' ? escaped(name) : link(explained(iriOf(name)), name)
  }

  /** A term of the API's own vocabulary has its place on the page that explains all of them. */
  function explained(iri: string): string {
    return iri.startsWith(String(context['@vocab'])) ? iri.replace('/docs.jsonld#', '/docs.html#') : iri
  }

  function iriOf(name: string): string {
    const definition = definitionOf(name)
    const id = (typeof definition === 'object' ? definition['@id'] : definition) ?? name
    const [, prefix, rest] = /^(\w+):(?!\/\/)(.*)$/.exec(id) ?? []
    if (typeof context[prefix] === 'string') return context[prefix] + rest
    return /^https?:/.test(id) ? id : `${context['@vocab'] ?? ''}${id}`
  }

  return { node }
}

/** Only addresses of this server and of the web: a link that runs a script is none. */
function link(iri: string, text: string, relation?: string): string {
  const followed = /^(https?:\/\/|\/(?![/\\]))/i.test(iri)
  const rel = relation ? ` rel="${relation}"` : ''
  return followed ? `<a href="${escaped(iri)}"${rel}>${escaped(text)}</a>` : escaped(text)
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
