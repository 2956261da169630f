import { parentPort } from 'node:worker_threads'
import jsonld from 'jsonld'
import { Problem } from '../model/problem.ts'
import { convertDocument, type Form } from './rdf.ts'
import { withHttpsSchemaOrg } from './schema-org.ts'
import type { ThreadResult } from './thread.ts'
import { readTurtle } from './turtle-reader.ts'

/** A body of JSON-LD or Turtle to compact; `ours` are the absolute IRIs of our own contexts. */
export interface CompactTask {
  body: object | string
  context: Record<string, unknown>
  base: string
  ours: string[]
}

/** One of our documents to write in another form, with its context inline. */
export interface ConvertTask {
  document: Node
  form: Form
  base: string
}

type Node = Record<string, unknown>
type Mapping = { '@id': string; '@container'?: string[]; reverse?: boolean }
type Context = { '@vocab'?: string; mappings: Map<string, Mapping | null> }
type Terms = { vocabulary: string; byIri: Map<string, { name: string; isSet: boolean }> }

/** The package's types lack `processContext` and narrow `expand`. */
const { expand, processContext } = jsonld as unknown as {
  expand(body: object, options: object): Promise<Node[]>
  processContext(active: Context | null, local: object | null, options: object): Promise<Context>
}

parentPort?.on('message', async (task: CompactTask | ConvertTask) => {
  parentPort?.postMessage('form' in task ? await write(task) : await read(task))
})
parentPort?.postMessage('ready')

async function write({ document, form, base }: ConvertTask): Promise<ThreadResult> {
  try {
    return { value: await convertDocument(document, form, base) }
  } catch (error) {
    return { problem: (error as Error).message }
  }
}

async function read({ body, context, base, ours }: CompactTask): Promise<ThreadResult> {
  let remoteContext: string | undefined
  /** Rejects a remote context: fetching one would let a client choose what this server loads (SSRF). */
  async function documentLoader(url: string) {
    if (ours.includes(url)) return { documentUrl: url, document: { '@context': context } }
    remoteContext ??= url
    throw new Error('remote context')
  }

  /** Plain names in a body without a context are names of our own context. */
  function expanded(document: object): Promise<Node[]> {
    return expand(document, { base, documentLoader, expandContext: '@context' in document ? {} : context })
  }

  try {
    const nodes = typeof body === 'string' ? [await readTurtle(body, base)] : await expanded(body)
    const resources = nodes.flatMap((node) => [node, ...list(node['@graph']), ...list(node['@included'])])
    if (resources.length > 1) {
      return { problem: `The body describes ${resources.length} resources: send one.` }
    }
    return { value: byName(nodes[0] ?? {}, await termsOf(context, { documentLoader })) }
  } catch (error) {
    return { problem: remoteContext ? remoteMessage(remoteContext) : messageOf(error as Error) }
  }
}

async function termsOf(context: Record<string, unknown>, options: object): Promise<Terms> {
  const initial = await processContext(null, null, options)
  const { '@vocab': vocabulary = '', mappings } = await processContext(initial, context, options)
  const byIri: Terms['byIri'] = new Map()
  for (const [name, mapping] of mappings) {
    if (!mapping || mapping.reverse) continue
    byIri.set(withHttpsSchemaOrg(mapping['@id']), { name, isSet: mapping['@container']?.includes('@set') ?? false })
  }
  return { vocabulary, byIri }
}

/** Unknown properties keep their IRI, so that strict handling can name them; blank node labels are dropped. */
function byName(node: Node, terms: Terms): Node {
  const result: Node = {}
  const { '@id': id, '@type': types, ...properties } = node
  if (typeof id === 'string' && !id.startsWith('_:')) result['@id'] = id
  if (types) result['@type'] = oneOrMany(list(types as string[]).map((type) => className(type, terms)))

  for (const [iri, values] of Object.entries(properties)) {
    if (iri.startsWith('@')) continue
    const { name, isSet } = terms.byIri.get(withHttpsSchemaOrg(iri)) ?? { name: iri, isSet: false }
    const items = distinct(list(values as Node[]))
      .flatMap((value) => list((value['@list'] as Node[]) ?? value))
      .map((item) => plain(item, terms))
    if (isSet && !Array.isArray(items[0])) result[name] = items
    else if (items.length > 0) result[name] = oneOrMany(items)
  }
  return result
}

function className(type: string, { vocabulary, byIri }: Terms): string {
  const iri = withHttpsSchemaOrg(type)
  return byIri.get(iri)?.name ?? (vocabulary && iri.startsWith(vocabulary) ? iri.slice(vocabulary.length) : type)
}

function plain(value: Node, terms: Terms): unknown {
  if ('@value' in value) return native(value['@value'], value['@type'])
  if ('@list' in value) return list(value['@list'] as Node[]).map((item) => plain(item, terms))
  if ('@id' in value && Object.keys(value).length === 1) return value['@id']
  return byName(value, terms)
}

/** A literal as a JSON scalar; one that is invalid for its datatype stays a string, which validation rejects. */
function native(value: unknown, type: unknown): unknown {
  if (typeof value !== 'string' || typeof type !== 'string') return value
  const datatype = type.match(/^http:\/\/www\.w3\.org\/2001\/XMLSchema#(.+)$/)?.[1] ?? ''
  if (datatype === 'boolean' && /^(true|false|1|0)$/.test(value)) return value === 'true' || value === '1'
  const numeric = /(integer|int|long|short|byte|decimal|double|float)$/i.test(datatype)
  return numeric && /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : value
}

const list = <T>(value: T | T[] | undefined): T[] => (value === undefined ? [] : ([value].flat() as T[]))
/** A graph is a set: equal values count once. */
const distinct = (items: Node[]) => [...new Map(items.map((item) => [JSON.stringify(item), item])).values()]
const oneOrMany = (items: unknown[]) => (items.length === 1 ? items[0] : items)

const remoteMessage = (iri: string) =>
  `Remote contexts are not fetched: write the terms of "${iri}" inline in @context.`

/** Errors of jsonld describe the document; other errors describe internals, so their text is not shown. */
function messageOf(error: Error): string {
  const { name, message } = error
  if (error instanceof Problem) return message
  if (!name.startsWith('jsonld.')) return 'The body is not valid JSON-LD.'
  return `The body is not valid JSON-LD: ${message.replace(/^Invalid JSON-LD syntax[;:] /, '')}`
}
