import jsonld from 'jsonld'
import { Parser, type Quad } from 'n3'
import { Problem } from '../model/problem.ts'
import { checkDepth } from '../model/text.ts'

type Node = Record<string, unknown>

/** What we use of jsonld, said here because its types know no quads. */
const { fromRDF } = jsonld as unknown as { fromRDF(quads: Quad[]): Promise<Node[]> }

const most = { triples: 10_000, levels: 32 }

/**
 * Reads Turtle as one expanded node, in which all others are nested: the one that no other points to.
 * It runs in the thread of jsonld-worker, which bounds time and memory.
 * @throws Problem 400 when it is no Turtle, tells of several resources, or is too much
 */
export async function readTurtle(text: string, base: string): Promise<Node> {
  const quads = parse(text, base)
  if (quads.length === 0) throw new Problem(400, 'The body has no triples: one resource is expected.')
  const nodes = await fromRDF(quads)
  const users = usersOf(nodes)
  const root = nodes.find((node) => !users.has(node['@id'] as string))
  const [node, told] = root ? nested(root, nodes, users) : [{}, 0]
  if (told === nodes.length) return node
  throw new Problem(400, `One resource is expected, and all else within it; the body describes ${nodes.length}.`)
}

function parse(text: string, base: string): Quad[] {
  let quads: Quad[]
  try {
    quads = new Parser({ baseIRI: base, format: 'text/turtle' }).parse(text)
  } catch (error) {
    throw new Problem(400, `The body is not valid Turtle: ${(error as Error).message.slice(0, 200)}`)
  }
  if (quads.length > most.triples) throw new Problem(400, `The body has more than ${most.triples} triples.`)
  if (quads.some(({ subject, object }) => [subject, object].some((term) => (term.termType as string) === 'Quad')))
    throw new Problem(400, 'The body has triples about triples (RDF-star), which are not accepted.')
  return [...new Map(quads.map((quad) => [keyOf(quad), quad])).values()]
}

/** A graph says nothing twice. */
function keyOf({ subject, predicate, object }: Quad): string {
  return [subject, predicate, object].map((term) => (term as unknown as { id: string }).id).join(' ')
}

/** How many nodes point to each node; what points to itself is none the less a beginning. */
function usersOf(nodes: Node[]): Map<string, number> {
  const users = new Map<string, number>()
  for (const { '@id': own, '@type': _, ...properties } of nodes)
    for (const id of idsIn(Object.values(properties))) if (id !== own) users.set(id, (users.get(id) ?? 0) + 1)
  return users
}

function idsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(idsIn)
  const { '@id': id, '@list': list } = value as Node
  return list ? idsIn(list) : typeof id === 'string' ? [id] : []
}

/** A node that several point to is nested in none of them, or a few lines could unfold into gigabytes. */
function nested(root: Node, nodes: Node[], users: Map<string, number>): [root: Node, told: number] {
  const byId = new Map(nodes.map((node) => [node['@id'], node]))
  let told = 0

  function nodeOf(node: Node, level: number): Node {
    told++
    return Object.fromEntries(
      Object.entries(node).map(([name, values]) => [
        name,
        name[0] === '@' ? values : (values as Node[]).map((value) => within(value, node, level)),
      ]),
    )
  }

  function within(value: Node, { '@id': own }: Node, level: number): Node {
    if (level > most.levels) throw new Problem(400, `The body has more than ${most.levels} levels.`)
    const { '@id': id, '@list': list, '@value': plain, '@type': type } = value
    if (list) return { '@list': (list as Node[]).map((item) => within(item, { '@id': own }, level + 1)) }
    if (type === '@json') checkDepth(JSON.stringify(plain))
    const node = byId.get(id)
    return node && id !== own && users.get(id as string) === 1 ? nodeOf(node, level + 1) : value
  }

  return [nodeOf(root, 1), told]
}
