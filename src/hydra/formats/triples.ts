import { type BlankNode, DataFactory, type Literal, type NamedNode, type Writer } from 'n3'

/** A term as jsonld gives it. */
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

/** A term as n3 writes it. */
export type Statements = NamedNode | BlankNode | Literal

/** Has n3 write triples; `said` is how their objects are told. */
export function written(writer: Writer, triples: Triple[], said = plain): string {
  for (const { subject, predicate, object } of triples)
    writer.addQuad(resource(subject), resource(predicate), said(object))
  let text = ''
  writer.end((_error, result) => {
    text = result
  })
  return text
}

export function plain(term: Term): Statements {
  const { termType, value, language, datatype } = term
  if (termType !== 'Literal') return resource(term)
  return DataFactory.literal(value, language ?? DataFactory.namedNode(datatype?.value as string))
}

/** What a client once sent as an IRI must not end the IRI that it is written into. */
export function resource({ termType, value }: Term): NamedNode {
  if (termType === 'BlankNode') return DataFactory.blankNode(value) as unknown as NamedNode
  return DataFactory.namedNode(value.replace(/[^!#-;=?-[\]_a-z~\u0080-\uffff]/g, encodeURIComponent))
}
