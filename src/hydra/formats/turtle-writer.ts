import { Writer } from 'n3'
import { type ObjectTerm, type Term, type Triple, toNode, toTerm, writeTriples } from './triples.ts'

type Definition = string | { '@id'?: string } | null

const rdf = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'

/** Writes triples as Turtle for people: with the prefixes of the context, and blank nodes nested where possible. */
export function writeTurtle(triples: Triple[], context: unknown): string {
  const writer = new Writer({ prefixes: prefixesFor(triples, context) })
  const bySubject = grouped(triples, ({ subject }) => subject)
  const byObject = grouped(triples, ({ object }) => object)
  const isNested = ({ termType, value }: Term) => termType === 'BlankNode' && byObject.get(value)?.length === 1

  function toObject(term: Term): ObjectTerm {
    if (!isNested(term)) return toTerm(term)
    const own = bySubject.get(term.value) ?? []
    if (own.some(({ predicate }) => predicate.value === `${rdf}rest`))
      return writer.list(items(own)) as unknown as ObjectTerm
    return writer.blank(
      own.map(({ predicate, object }) => ({ predicate: toNode(predicate), object: toObject(object) })),
    )
  }

  function items(own: Triple[]): ObjectTerm[] {
    const [first, rest] = ['first', 'rest'].map((name) => own.find(({ predicate }) => predicate.value === rdf + name))
    const others = bySubject.get(rest?.object.value as string)
    return [toObject(first?.object as Term), ...(others ? items(others) : [])]
  }

  return writeTriples(
    writer,
    triples.filter(({ subject }) => !isNested(subject)),
    toObject,
  )
}

/** Groups triples by the blank node that is their subject or their object. */
function grouped(triples: Triple[], termOf: (triple: Triple) => Term): Map<string, Triple[]> {
  const groups = new Map<string, Triple[]>()
  for (const triple of triples) {
    const { termType, value } = termOf(triple)
    if (termType !== 'BlankNode') continue
    const group = groups.get(value) ?? []
    group.push(triple)
    groups.set(value, group)
  }
  return groups
}

/** The prefixes of the vocabularies that occur in the triples: `schema:name`, `:Meeting`, `Meeting:time`. */
function prefixesFor(triples: Triple[], context: unknown): Record<string, string> {
  const terms: Record<string, Definition> = Object.assign({}, ...[context].flat())
  const vocabulary = terms['@vocab'] as string | undefined
  const prefixes = new Map<string, string>()
  for (const [name, iri] of Object.entries(terms))
    if (typeof iri === 'string' && /^https?:.*[#/]$/.test(iri)) prefixes.set(name === '@vocab' ? '' : name, iri)
  for (const definition of Object.values(terms)) {
    const iri = typeof definition === 'string' ? definition : definition?.['@id']
    const [, owner] = /^(\w+)\/\w+$/.exec(iri ?? '') ?? []
    if (owner && vocabulary) prefixes.set(owner, `${vocabulary}${owner}/`)
  }
  const named = triples.flatMap(({ subject, predicate, object }) => [subject, predicate, object.datatype ?? object])
  const iris = [...new Set(named.map(({ value }) => value))]
  return Object.fromEntries([...prefixes].filter(([, start]) => iris.some((iri) => iri.startsWith(start))))
}
