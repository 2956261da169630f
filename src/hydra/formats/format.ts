import type { ApiModel } from '../model/api-model.ts'
import type { FairShare } from '../model/fair-share.ts'
import { writeCsv } from './csv.ts'
import { convert } from './jsonld-pool.ts'
import type { Form } from './rdf.ts'

export type Document = Record<string, unknown>

/** How a document is written, beside its format. */
export interface WriteOptions {
  /** The share whose time is counted while many tasks wait. */
  share?: FairShare
  /** The requested properties; all when absent. */
  properties?: Set<string>
}

/** One way of writing a document. */
export interface Format {
  /** Its media type, as Accept names it. */
  type: string
  /** The suffix of a path that requests the format; it wins over Accept. */
  suffix?: string
  /** Distinguishes the format from others of the same type (RFC 6906). */
  profile?: string
  /** Whether only collections have this format. */
  tabular?: true
  headers?: Record<string, string>
  /** The links that this format cannot express in its body: they become Link headers. */
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

/** Whether a format is the document itself in JSON. */
export function isJson(format: Format): boolean {
  return format === jsonld || format === json
}

/** Pages for people. They are drawn by the application from more than the document (`html.ts`). */
export const html: Format = {
  type: 'text/html',
  suffix: 'html',
  write() {
    throw new Error('The application draws pages: see Pages.')
  },
}

/** The formats of resources in our order of preference: the first of several equally accepted ones wins. */
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
    links: pageLinks,
    write: (document, api, options) => writeCsv(membersOf(document), columnsOf(document, api, options?.properties)),
  },
  html,
]

/** The formats of an API: HTML only where its application draws pages. */
export function formatsOf({ pages }: { pages?: object }, { tabular }: { tabular: boolean }): Format[] {
  return formats.filter((format) => (tabular || !format.tabular) && (pages !== undefined || format !== html))
}

/** The Content-Type of a format. */
export function contentType({ type, profile }: Format): string {
  return `${type};${profile ? ` profile="${profile}";` : ''} charset=utf-8`
}

/** Splits a path from the suffix that names a format. */
export function splitSuffix(path: string): [path: string, suffix?: string] {
  const [, bare, suffix] = /^(.+)\.(\w+)$/.exec(path) ?? []
  return formats.some((format) => format.suffix === suffix) ? [bare, suffix] : [path]
}

/** The JSON-LD thread never fetches a context, so the document carries its context inline. */
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

/** The properties of the class; with a selection only the selected properties and links. */
function columnsOf({ '@context': context }: Document, { classes }: ApiModel, selected?: Set<string>): string[] {
  const shape = classes.find(({ name }) => name === nameOf(context))
  if (!shape) return []
  const fields = shape.fields.map(({ name }) => name)
  return selected ? [...fields, ...shape.links.keys()].filter((name) => selected.has(name)) : fields
}

/** Links to the other pages (RFC 8288): the rows of a table have no place for them. */
function pageLinks(document: Document, { iris: { origin } }: ApiModel): string[] {
  const view = (document.view ?? document['hydra:view'] ?? {}) as Record<string, string>
  return Object.entries(view).flatMap(([key, path]) => {
    const [, relation] = /^(?:hydra:)?(first|last|previous|next)$/.exec(key) ?? []
    return relation ? [`<${origin}${path}>; rel="${relation}"`] : []
  })
}
