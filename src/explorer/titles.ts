import type { Api } from '../hydra/index.ts'
import type { Drawing, Title } from './drawing.ts'
import type { Document, Field, Shape } from './engine.ts'
import { labelOf, valueLabelOf } from './words/labels.ts'

type Naming = Pick<Drawing, 'api' | 'tag' | 'formats'>

/** The property whose value tells the items of a class apart: their name, else their first date, else their identifier. */
export function titleField(shape: Shape): string | undefined {
  const named = shape.fields.find(({ term }) => term.iri === 'schema:name')
  const date = shape.fields.find(({ datatype, term }) => isDate(datatype) && !isRecordDate(term.iri))
  return (named ?? date ?? shape.fields.find(({ term }) => term.iri === 'schema:identifier'))?.name
}

/** The title of an item: its name, or else its class with its first date or its identifier. */
export function titleOf({ api, tag, formats }: Naming, shape: Shape, document: Document): Title {
  const named = nameOf(shape, 'schema:name')
  const name = document[named]
  if (typeof name === 'string' && name.trim() !== '') return { text: valueLabelOf(api, tag, shape.name, named, name) }
  const label = labelOf(api, tag, shape.name)
  const dates = shape.fields.filter(({ datatype, name }) => isDate(datatype) && typeof document[name] === 'string')
  const first = dates.find(({ term }) => !isRecordDate(term.iri)) ?? dates[0]
  if (first) {
    const iso = document[first.name] as string
    const before = `${label}, `
    if (first.datatype === 'xsd:date') return { text: before + formats.date(iso) }
    return { text: before + formats.dateTime(iso), moment: { before, iso } }
  }
  const id = document[nameOf(shape, 'schema:identifier')]
  return { text: typeof id === 'string' ? `${label} ${id}` : label }
}

const names = new WeakMap<Shape, Map<string, string>>()

/** The name of the property with a meaning; empty where the class has none. */
export function nameOf(shape: Shape, iri: string): string {
  let known = names.get(shape)
  if (!known) {
    // The first property with a meaning counts.
    known = new Map(shape.fields.map(({ name, term }): [string, string] => [term.iri, name]).reverse())
    names.set(shape, known)
  }
  return known.get(iri) ?? ''
}

/** Whether a property is about the record, and not about the thing that it describes. */
export function isRecordDate(iri: string): boolean {
  return iri === 'schema:dateCreated' || iri === 'schema:dateModified'
}

const isDate = (datatype: string | null) => datatype === 'xsd:dateTime' || datatype === 'xsd:date'

/** The title of a reference: that of its item, or else its class. */
export function referenceTitle({ api, tag, titles }: Pick<Drawing, 'api' | 'tag' | 'titles'>, iri: string): string {
  const known = titles.get(iri)
  if (known) return known.text
  const resource = api.iris.parse(iri)?.resource
  return resource ? labelOf(api, tag, resource.name) : iri
}

/** The most items of one class that a page reads for their titles. */
const mostTitles = 100

/** The items that a page refers to, each with its class. */
export type References = [shape: Shape, document: Document][]

/** Documents, and the properties by which they refer to items. */
export interface Referring {
  fields: Pick<Field, 'name' | 'target'>[]
  items: Document[]
}

/** Reads all items that documents refer to, at the same moment: the reads of a class travel together. */
export async function readReferences(
  { api, view }: Pick<Drawing, 'api' | 'view'>,
  referring: Referring[],
): Promise<References> {
  const byClass = new Map<Shape, Set<string>>()
  for (const { fields, items } of referring)
    for (const { name, target } of fields) {
      if (!target) continue
      const iris = byClass.get(api.shape(target)) ?? new Set()
      for (const document of items) for (const iri of irisOf(document[name])) iris.add(iri)
      byClass.set(api.shape(target), iris)
    }
  const read = async (target: Shape, iris: string[]): Promise<References> => {
    const ids = iris.flatMap((iri) => api.iris.parse(iri)?.id ?? [])
    if (ids.length === 0 || !mayRead(api, view.caller.role, target)) return []
    return [...(await view.items(target.class, ids)).values()].map((document) => [target, document])
  }
  return (await Promise.all([...byClass].map(([target, iris]) => read(target, [...iris].slice(0, mostTitles))))).flat()
}

/** The titles of references by their IRI. */
export function titlesOf(drawing: Naming, references: References): Map<string, Title> {
  return new Map(references.map(([shape, document]) => [document['@id'] as string, titleOf(drawing, shape, document)]))
}

function irisOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((iri) => typeof iri === 'string') : []
}

/** Whether the role may read items of a class at all; no query runs for others. */
function mayRead(api: Api, role: string, { class: type }: Shape): boolean {
  const { operations } = api.resourceOf(type)
  return operations.some(
    (operation) =>
      operation.method === 'GET' && operation.path === '/:id' && api.permissions.allows(operation, { role }),
  )
}
