import type { ApiModel } from '../model/api-model.ts'
import type { FairShare } from '../model/fair-share.ts'
import { csv } from './csv.ts'
import { html, policy } from './html.ts'
import { convert } from './jsonld-pool.ts'
import type { Form } from './rdf.ts'

export type Document = Record<string, unknown>

/** How a document is written, beside its format. */
export interface WriteOptions {
  /** Who pays for it where many wait. */
  share?: FairShare
  /** The properties that were asked for; all when absent. */
  properties?: Set<string>
}

/** One way of writing a document. */
export interface Format {
  /** Its media type, as Accept names it. */
  type: string
  /** What a path ends in that asks for it; it wins over Accept. */
  suffix?: string
  /** What sets it apart from the others of its type (RFC 6906). */
  profile?: string
  /** Whether only collections can be said in it. */
  tabular?: true
  headers?: Record<string, string>
  /** What the document says in the other formats, but can be said only in a header here. */
  links?(document: Document, api: ApiModel): string[]
  write(document: Document, api: ApiModel, options?: WriteOptions): string | Promise<string>
}

const profiles = 'http://www.w3.org/ns/json-ld#'

export const jsonld: Format = {
  type: 'application/ld+json',
  suffix: 'jsonld',
  write: (document) => JSON.stringify(document),
}

export const json: Format = {
  ...jsonld,
  type: 'application/json',
  suffix: 'json',
  links: ({ '@context': context }, { iris: { origin } }) =>
    typeof context === 'string' ? [`<${origin}${context}>; rel="${profiles}context"; type="application/ld+json"`] : [],
}

/** The formats of everything that is said of resources; where a client likes several alike it gets the first. */
export const formats: Format[] = [
  jsonld,
  { ...jsonld, profile: `${profiles}expanded`, write: inForm('expanded') },
  { ...jsonld, profile: `${profiles}flattened`, write: inForm('flattened') },
  json,
  { type: 'text/turtle', suffix: 'ttl', write: inForm('turtle') },
  { type: 'application/n-quads', suffix: 'nq', write: inForm('n-quads') },
  {
    type: 'text/csv',
    suffix: 'csv',
    tabular: true,
    links: pages,
    write: (document, api, options) => csv(membersOf(document), columnsOf(document, api, options?.properties)),
  },
  {
    type: 'text/html',
    suffix: 'html',
    headers: { 'Content-Security-Policy': policy },
    write: (document, api) => html(document, contextOf(document, api)),
  },
]

/** The Content-Type of what is written in a format. */
export function contentType({ type, profile }: Format): string {
  return `${type};${profile ? ` profile="${profile}";` : ''} charset=utf-8`
}

/** Parts a path from the suffix that names a format. */
export function splitSuffix(path: string): [path: string, suffix?: string] {
  const [, bare, suffix] = /^(.+)\.(\w+)$/.exec(path) ?? []
  return formats.some((format) => format.suffix === suffix) ? [bare, suffix] : [path]
}

/** Jsonld never fetches a context, so the document brings along the one that it names. */
function inForm(form: Form): Format['write'] {
  return (document, api, options) =>
    convert({ ...document, '@context': contextOf(document, api) }, form, api.iris.publicUrl, options?.share)
}

function contextOf({ '@context': context }: Document, api: ApiModel): Document {
  return (typeof context === 'string' ? api.context(nameOf(context))?.['@context'] : context) as Document
}

function nameOf(context: unknown): string {
  return (context as string).slice((context as string).lastIndexOf('/') + 1)
}

function membersOf(document: Document): Document[] {
  return (document.member ?? document['hydra:member'] ?? []) as Document[]
}

/** The properties of the class; only those asked for, and then its links too, where some are. */
function columnsOf({ '@context': context }: Document, { classes }: ApiModel, wanted?: Set<string>): string[] {
  const shape = classes.find(({ name }) => name === nameOf(context))
  if (!shape) return []
  const fields = shape.fields.map(({ name }) => name)
  return wanted ? [...fields, ...shape.links.keys()].filter((name) => wanted.has(name)) : fields
}

/** The way to the other pages, which rows have no place for (RFC 8288). */
function pages(document: Document, { iris: { origin } }: ApiModel): string[] {
  const view = (document.view ?? document['hydra:view'] ?? {}) as Record<string, string>
  return Object.entries(view).flatMap(([key, path]) => {
    const [, relation] = /^(?:hydra:)?(first|last|previous|next)$/.exec(key) ?? []
    return relation ? [`<${origin}${path}>; rel="${relation}"`] : []
  })
}
