import fc from 'fast-check'
import jsonld, { type JsonLdDocument } from 'jsonld'
import { Parser, Store } from 'n3'
import SHACLValidator from 'rdf-validate-shacl'
import { docs, propertiesOf } from './docs.ts'
import { openWorld } from './world.ts'

const { publicUrl } = await openWorld()

const xsd = 'http://www.w3.org/2001/XMLSchema#'
const vocabulary = `${publicUrl}/docs.jsonld#`

/** A value of JSON-LD in expanded form. */
export type Value = Record<string, unknown>

/** A body as a graph: the values of each property, by the property's name. */
export type Graph = Record<string, Value[]>

const validator = new SHACLValidator(await datasetOf(docs))

/** Whether a body keeps to the shapes of the documentation, by a validator that knows nothing else of this server. */
export async function conforms(body: object): Promise<boolean> {
  return (await validator.validate(await datasetOf(body))).conforms
}

/** A graph in expanded JSON-LD, of a class and with the IRIs that the documentation has for its properties. */
export function expanded(type: string, graph: Graph): object[] {
  const iris = new Map(propertiesOf(type).map(({ title, property }) => [title, property['@id']]))
  const iriOf = (name: string) =>
    (iris.get(name) as string).replace(/^schema:/, 'https://schema.org/').replace(/^#/, vocabulary)
  const properties = Object.entries(graph).map(([name, values]) => [iriOf(name), values])
  return [{ '@type': [vocabulary + type], ...Object.fromEntries(properties) }]
}

export const literal = (value: unknown, type?: string): Value => ({
  '@value': value,
  ...(type && { '@type': type.includes(':') || type.startsWith('@') ? type : xsd + type }),
})

const plain = (least: number, most: number) =>
  fc
    .string({ unit: 'grapheme', minLength: least, maxLength: most })
    .filter((text) => text.trim() !== '' && text.length >= least && text.length <= most)

export const text = (least: number, most: number): fc.Arbitrary<Value> =>
  fc.oneof(
    plain(least, most).map((value) => literal(value)),
    plain(least, most).map((value) => ({ '@value': value, '@language': 'nl' })),
    plain(least, most).map((value) => literal(value, 'string')),
  )

export const oneOf = (...values: unknown[]): fc.Arbitrary<Value> =>
  fc.constantFrom(...values).map((value) => literal(value))

/** A whole number, as JSON has it or with a datatype. */
export const whole = (least: number, most: number): fc.Arbitrary<Value> =>
  fc
    .tuple(
      fc.integer({ min: least, max: most }),
      fc.constantFrom(undefined, 'integer', 'int', ...(least < 0 ? [] : ['nonNegativeInteger'])),
    )
    .map(([value, type]) => literal(type ? `${value}` : value, type))

/** A moment so many minutes after a day of its own, told in any offset. */
export const moment = (day: number, minutes: number, hours: number): Value => {
  const date = new Date(Date.UTC(2024, 1, 1 + day, hours, minutes)).toISOString().slice(0, 19)
  const sign = hours < 0 ? '-' : '+'
  const offset = hours === 0 ? 'Z' : `${sign}${String(Math.abs(hours)).padStart(2, '0')}:00`
  return literal(date + offset, 'dateTime')
}

const spelled = [
  ...['', ' ', 'x', 'x'.repeat(300), 'x'.repeat(12_000), '\u{1F600}'.repeat(200), '\u2764\uFE0F'.repeat(200)],
  ...['company', 'Company', 'monthly', 'planning', 'a-b', '-a', 'a--b', 'admin', 'a'.repeat(64), 'nl', 'N', 'cus_1'],
  ...['mia@example.com', 'mia@localhost', 'mia..b@example.com', 'm@x.c', 'josé@bücher.example', '"m m"@example.com'],
  ...[`${'m'.repeat(65)}@example.com`, `m@${'x'.repeat(64)}.com`, 'm@-x.com', 'm@x_y.com', 'm@x.xn--p1ai', 'm@1.2'],
  ...['2024-02-10', '2024-02-30', '2024-02-10T09:00:00Z', '9', 'true', '/employees/1'],
]
const instants = [
  ...['2024-02-30T09:00:00Z', '2023-02-29T09:00:00Z', '2024-04-31T09:00:00Z', '2024-02-10T09:00:00', '2024-02-10'],
  ...['2024-02-10T24:00:00Z', '2024-02-10T23:59:60Z', '2024-02-10T09:00:00.1234Z', '0000-02-10T09:00:00Z', ''],
  ...['2024-02-10T09:00:00+24:00', '2024-02-10T09:00Z', '20240210T090000Z', '2024-02-10t09:00:00z', 'soon'],
]

/** Values that any property may be given in place of a right one. */
export const stray: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom(...spelled).map((value) => literal(value)),
  fc.constantFrom(...instants).map((value) => literal(value, 'dateTime')),
  fc.constantFrom(-1, 0, 1.5, 7, 24, 25, 100_000, 100_001, 1e10, true, false).map((value) => literal(value)),
  fc
    .constantFrom<[string, string]>(
      ...([
        ['9', 'integer'],
        ['9.0', 'decimal'],
        ['9.5', 'decimal'],
        ['nine', 'integer'],
        ['true', 'boolean'],
        ['0', 'boolean'],
        ['yes', 'boolean'],
        ['1.5E0', 'double'],
        ['2024-02-10', 'date'],
        ['glad', 'https://elsewhere.example/mood'],
      ] as [string, string][]),
    )
    .map(([value, type]) => literal(value, type)),
  fc.constantFrom('urn:x', `${publicUrl}/employees/1`, `${publicUrl}/locations/1`).map((iri) => ({ '@id': iri })),
  fc.constant({ 'https://schema.org/name': [{ '@value': 'x' }] }),
  fc.constant(literal({ a: 1 }, '@json')),
)

async function datasetOf(document: object): Promise<Store> {
  const options = { base: `${publicUrl}/`, format: 'application/n-quads' as const }
  const quads = (await jsonld.toRDF(document as JsonLdDocument, options)) as unknown as string
  return new Store(new Parser({ format: 'N-Quads' }).parse(quads))
}
