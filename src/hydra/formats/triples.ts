import { type BlankNode, DataFactory, type Literal, type NamedNode, type Writer } from 'n3'

/** An RDF term as jsonld represents it. */
export interface Term {
  termType: string
  value: string
  language?: string
  datatype?: { value: string }
}

export interface Triple {
  subject: Term
  predicate: Term
  object: Term
}

/** The object of a triple as n3 represents it. */
export type ObjectTerm = NamedNode | BlankNode | Literal

/** Writes triples with n3; `toObject` converts their objects. */
export function writeTriples(writer: Writer, triples: Triple[], toObject = toTerm): string {
  for (const { subject, predicate, object } of triples)
    writer.addQuad(toNode(subject), toNode(predicate), toObject(object))
  let text = ''
  writer.end((_error, result) => {
    text = result
  })
  return text
}

export function toTerm(term: Term): ObjectTerm {
  const { termType, value, language, datatype } = term
  if (termType !== 'Literal') return toNode(term)
  return DataFactory.literal(value, language ?? DataFactory.namedNode(datatype?.value as string))
}

/** Escapes characters that end an IRI: stored IRIs come from clients, and must not inject triples. */
export function toNode({ termType, value }: Term): NamedNode {
  if (termType === 'BlankNode') return DataFactory.blankNode(value) as unknown as NamedNode
  return DataFactory.namedNode(value.replace(/[^!#-;=?-[\]_a-z~\u0080-\uffff]/g, encodeURIComponent))
}
