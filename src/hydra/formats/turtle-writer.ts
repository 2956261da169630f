import { Writer } from 'n3'
import { plain, resource, type Statements, type Term, type Triple, written } from './triples.ts'

type Definition = string | { '@id'?: string } | null

const rdf = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'

/** Writes a document's triples for people: with the short names of its context, and what has no IRI where it is spoken of. */
export function turtle(triples: Triple[], context: unknown): string {
  const writer = new Writer({ prefixes: prefixesFor(triples, context) })
  const about = grouped(triples, ({ subject }) => subject)
  const uses = grouped(triples, ({ object }) => object)
  const isWithin = ({ termType, value }: Term) => termType === 'BlankNode' && uses.get(value)?.length === 1

  function said(term: Term): Statements {
    if (!isWithin(term)) return plain(term)
    const own = about.get(term.value) ?? []
    if (own.some(({ predicate }) => predicate.value === `${rdf}rest`))
      return writer.list(items(own)) as unknown as Statements
    return writer.blank(own.map(({ predicate, object }) => ({ predicate: resource(predicate), object: said(object) })))
  }

  function items(own: Triple[]): Statements[] {
    const [first, rest] = ['first', 'rest'].map((name) => own.find(({ predicate }) => predicate.value === rdf + name))
    const others = about.get(rest?.object.value as string)
    return [said(first?.object as Term), ...(others ? items(others) : [])]
  }

  return written(
    writer,
    triples.filter(({ subject }) => !isWithin(subject)),
    said,
  )
}

/** The triples by the blank node in one of their places. */
function grouped(triples: Triple[], place: (triple: Triple) => Term): Map<string, Triple[]> {
  const groups = new Map<string, Triple[]>()
  for (const triple of triples) {
    const { termType, value } = place(triple)
    if (termType !== 'BlankNode') continue
    const group = groups.get(value) ?? []
    group.push(triple)
    groups.set(value, group)
  }
  return groups
}

/** Short names for the vocabularies that the triples are of: `schema:name`, `:Meeting`, `Meeting:time`. */
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
