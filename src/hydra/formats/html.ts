import { hash } from 'node:crypto'

type Values = Record<string, unknown>
type Definition = string | { '@id'?: string; '@type'?: string } | undefined

const style =
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}' +
  'dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0 0 1rem}dd{margin:0;overflow-wrap:anywhere}' +
  'nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:0 0 1rem}:target{outline:2px solid}' +
  'pre{white-space:pre-wrap;margin:0}ul,ol{margin:0;padding-left:1.5rem}' +
  '@media(max-width:40rem){dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .5rem}ul,ol{padding-left:1rem}h1{overflow-wrap:anywhere}}'

/** A page may load nothing but its own style, and may run no script. */
export const contentSecurityPolicy =
  `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; ` +
  `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** Writes a document as a page for people; every IRI is a link. */
export function writeHtml(document: Values, context: Values): string {
  return htmlPage(
    String(document.name ?? document['@id']),
    `${pager((document.view ?? document['hydra:view']) as Values | undefined)}${page(context).node(document)}`,
    document,
  )
}

/** Wraps content in a page; the document is embedded for machines (JSON-LD 1.1, §7). */
export function htmlPage(title: string, content: string, document: Values): string {
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>` +
    `<meta name="viewport" content="width=device-width"><style>${style}</style>` +
    // An escaped `<` cannot end the element or begin a comment.
    `<script type="application/ld+json">${JSON.stringify(document).replaceAll('<', '\\u003c')}</script></head>` +
    `<body><h1>${escapeHtml(title)}</h1>${content}</body></html>`
  )
}

/** Links to the other pages of a collection. */
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
    return `<dl>${rows.map(([key, value]) => `<dt>${term(key)}</dt><dd>${valueHtml(key, value)}</dd>`).join('')}</dl>`
  }

  function valueHtml(key: string, value: unknown): string {
    const definition = definitionOf(key)
    const type = typeof definition === 'object' ? definition['@type'] : undefined
    if (value === null) return '–'
    if (type === '@json') return `<pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre>`
    if (Array.isArray(value)) return `<ul>${value.map((item) => `<li>${valueHtml(key, item)}</li>`).join('')}</ul>`
    if (typeof value === 'object') return node(value as Values)
    if (typeof value !== 'string') return escapeHtml(String(value))
    if (key === '@type' || type === '@vocab') return term(value)
    const isIri = key === '@id' || key === '@context' || type === '@id' || /^https?:\/\/\S+$/.test(value)
    return isIri ? link(documentedAt(value), value) : escapeHtml(value)
  }

  /** A term links to its definition. */
  function term(name: string): string {
    return name[0] === '@' ? escapeHtml(name) : link(documentedAt(iriOf(name)), name)
  }

  /** Terms of the API's own vocabulary are explained on one page. */
  function documentedAt(iri: string): string {
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

/** Links only to this server and to http(s) addresses: `javascript:` must not become a link. */
function link(iri: string, text: string, relation?: string): string {
  const isSafe = /^(https?:\/\/|\/(?![/\\]))/i.test(iri)
  const rel = relation ? ` rel="${relation}"` : ''
  return isSafe ? `<a href="${escapeHtml(iri)}"${rel}>${escapeHtml(text)}</a>` : escapeHtml(text)
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
