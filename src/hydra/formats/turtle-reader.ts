import jsonld from 'jsonld'
import { Parser, type Quad } from 'n3'
import { Problem } from '../model/problem.ts'
import { checkDepth } from '../model/text.ts'

type Node = Record<string, unknown>

/** The package's types lack quads. */
const { fromRDF } = jsonld as unknown as { fromRDF(quads: Quad[]): Promise<Node[]> }

const maxima = { triples: 10_000, levels: 32 }

/**
 * Reads Turtle as one expanded node with all other nodes nested in it. The root is the node that no other node refers to.
 * Runs in the JSON-LD thread, which limits time and memory.
 * @throws Problem 400 for invalid Turtle, several resources, or too many triples
 */
export async function readTurtle(text: string, base: string): Promise<Node> {
  const quads = parse(text, base)
  if (quads.length === 0) throw new Problem(400, 'The body has no triples: send one resource.')
  const nodes = await fromRDF(quads)
  const references = countReferences(nodes)
  const root = nodes.find((node) => !references.has(node['@id'] as string))
  const [node, nestedCount] = root ? nested(root, nodes, references) : [{}, 0]
  if (nestedCount === nodes.length) return node
  throw new Problem(400, `The body describes ${nodes.length} resources: send one, with all others nested in it.`)
}

function parse(text: string, base: string): Quad[] {
  let quads: Quad[]
  try {
    quads = new Parser({ baseIRI: base, format: 'text/turtle' }).parse(text)
  } catch (error) {
    throw new Problem(400, `The body is not valid Turtle: ${(error as Error).message.slice(0, 200)}`)
  }
  if (quads.length > maxima.triples) throw new Problem(400, `The body has more than ${maxima.triples} triples.`)
  if (quads.some(({ subject, object }) => [subject, object].some((term) => (term.termType as string) === 'Quad')))
    throw new Problem(400, 'The body has triples about triples (RDF-star), which are not accepted.')
  return [...new Map(quads.map((quad) => [keyOf(quad), quad])).values()]
}

/** Equal triples have equal keys: a graph is a set. */
function keyOf({ subject, predicate, object }: Quad): string {
  return [subject, predicate, object].map((term) => (term as unknown as { id: string }).id).join(' ')
}

/** How many references each node has; a reference of a node to itself does not count. */
function countReferences(nodes: Node[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { '@id': own, '@type': _, ...properties } of nodes)
    for (const id of idsIn(Object.values(properties))) if (id !== own) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

function idsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(idsIn)
  const { '@id': id, '@list': list } = value as Node
  return list ? idsIn(list) : typeof id === 'string' ? [id] : []
}

/** A node with several references is nested in none of them: otherwise a few lines could expand to gigabytes. */
function nested(root: Node, nodes: Node[], references: Map<string, number>): [root: Node, count: number] {
  const byId = new Map(nodes.map((node) => [node['@id'], node]))
  let count = 0

  function nodeOf(node: Node, level: number): Node {
    count++
    return Object.fromEntries(
      Object.entries(node).map(([name, values]) => [
        name,
        name[0] === '@' ? values : (values as Node[]).map((value) => within(value, node, level)),
      ]),
    )
  }

  function within(value: Node, { '@id': own }: Node, level: number): Node {
    if (level > maxima.levels) throw new Problem(400, `The body has more than ${maxima.levels} levels.`)
    const { '@id': id, '@list': list, '@value': plain, '@type': type } = value
    if (list) return { '@list': (list as Node[]).map((item) => within(item, { '@id': own }, level + 1)) }
    if (type === '@json') checkDepth(JSON.stringify(plain))
    const node = byId.get(id)
    return node && id !== own && references.get(id as string) === 1 ? nodeOf(node, level + 1) : value
  }

  return [nodeOf(root, 1), count]
}
