import 'reflect-metadata'
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js'
import type { DataSource, EntityMetadata } from 'typeorm'
import type { Class } from './class.ts'
import { type Contexts, type Definitions, type Term, termsOf } from './context.ts'
import { type Rule, type Rules, rulesOf } from './rules.ts'

/** One property as clients see it: where it is stored, how it is spoken of, what may be written. */
export interface Field {
  name: string
  term: Term
  kind: 'value' | 'reference' | 'references'
  /** The class that a reference leads to. */
  target?: Class
  /** The property with the foreign key of a reference. */
  key?: string
  /** The datatype of its values, as a compact IRI; null for free-form JSON. */
  datatype: string | null
  /** Whether its value is a list, though not one of references. */
  list: boolean
  writable: boolean
  required: boolean
  nullable: boolean
  rules: Rule[]
  /** The values that it has, or that the members of its list have, where they are a closed set. */
  values?: string[]
}

/** A class as clients see it: its context joined to its columns, relations and rules. */
export interface Shape {
  name: string
  class: Class
  fields: Field[]
  field: Map<string, Field>
  /** Terms of the context that are no property: links to what may be done. */
  links: Map<string, Term>
  metadata: EntityMetadata | undefined
}

/** Whether the values of a property are addresses, and not references to items. */
export function isAddress({ kind, term, datatype }: Field): boolean {
  return kind === 'value' && (term.type === '@id' || datatype === 'xsd:anyURI')
}

/**
 * Joins a class with its context; throws a sentence naming file and property where the two disagree.
 * @param links names of the action links that operations hang on the class
 * @param definitions its context, when that is not the file of its name
 */
export function joinShape(
  type: Class,
  database: DataSource,
  contexts: Contexts,
  links: Iterable<string> = [],
  definitions?: Definitions,
): Shape {
  const metadata = database.hasMetadata(type) ? database.getMetadata(type) : undefined
  const terms = termsOf(definitions ?? contexts.definitions(type.name))
  const actions = new Set(links)
  const values = (!definitions && contexts.read(type.name).values) || {}
  const file = contexts.path(type.name)
  const fields = [...terms]
    .filter(([name]) => !actions.has(name))
    .map(([name, term]) => joinField(type, metadata, name, term, { values, file }))
  refuseClashes(type, terms, contexts)
  for (const name of rulesOf(type).keys())
    if (!terms.has(name)) throw new Error(`"${type.name}.${name}" has a rule but no term in ${file}.`)
  for (const name of actions) if (!terms.has(name)) throw new Error(`${file} lacks "${name}", a link of ${type.name}.`)
  return {
    name: type.name,
    class: type,
    fields,
    field: new Map(fields.map((field) => [field.name, field])),
    links: new Map([...terms].filter(([name]) => actions.has(name))),
    metadata,
  }
}

function joinField(
  type: Class,
  metadata: EntityMetadata | undefined,
  name: string,
  term: Term,
  { values, file }: { values: Record<string, string[]>; file: string },
): Field {
  const rules = rulesOf(type).get(name)
  const relation = metadata?.findRelationWithPropertyPath(name)
  const column = metadata?.columns.find(({ propertyName }) => propertyName === name)
  const getter = Object.getOwnPropertyDescriptor(type.prototype, name)?.get
  if (!column && !relation && !getter && !rules)
    throw new Error(`${file} names "${name}", which ${type.name} does not have.`)
  const reference = term.type === '@id' && !column && !getter
  const target = reference ? targetOf(type, metadata, name, file) : undefined
  const beside = metadata?.columns.find(({ propertyName }) => propertyName === `${name}Id`)
  const key = relation?.isManyToOne ? beside : undefined
  if (relation?.isManyToOne && !key) throw new Error(`"${type.name}.${name}" needs a "${name}Id" column beside it.`)
  return {
    name,
    term,
    kind: reference ? (relation?.isOneToMany ? 'references' : 'reference') : 'value',
    target,
    key: key?.propertyName,
    datatype: reference ? null : datatypeOf(term, column?.type, rules),
    list: column?.isArray || rules?.list.some((rule) => rule.name === 'isArray') || typeGiven(type, name) === Array,
    writable: rules !== undefined,
    required: rules?.required ?? false,
    nullable:
      column?.isNullable ?? beside?.isNullable ?? rules?.nullable ?? (getter !== undefined && blank(type, getter)),
    rules: rules?.list ?? [],
    values: (rules?.list.find((rule) => rule.name === 'isIn')?.arguments[0] as string[]) ?? values[name],
  }
}

/** Whether what is computed is null where there is nothing to compute it from. */
function blank(type: Class, getter: () => unknown): boolean {
  try {
    return getter.call(Object.create(type.prototype)) === null
  } catch {
    return false
  }
}

function refuseClashes(type: Class, terms: Map<string, Term>, contexts: Contexts): void {
  const iris = new Map<string, string>()
  for (const [name, { iri }] of terms) {
    if (contexts.isReserved(name))
      throw new Error(`"${type.name}.${name}" is named like a term that every document needs.`)
    const other = iris.get(iri)
    if (other) throw new Error(`${contexts.path(type.name)} gives "${other}" and "${name}" the same IRI, ${iri}.`)
    iris.set(iri, name)
  }
}

function targetOf(type: Class, metadata: EntityMetadata | undefined, name: string, file: string): Class {
  const relation = metadata?.findRelationWithPropertyPath(name)
  const target = relation?.inverseEntityMetadata.target ?? typeGiven(type, name)
  if (typeof target !== 'function')
    throw new Error(`${file} calls "${name}" a reference, but ${type.name} does not say to what.`)
  return target as Class
}

/** The class in the property's `@Type()` (class-transformer). */
function typeGiven(type: Class, name: string): unknown {
  return defaultMetadataStorage.findTypeMetadata(type, name)?.typeFunction()
}

const datatypes: [test: RegExp, datatype: string][] = [
  [/^(small|big)?int(eger)?$/, 'xsd:integer'],
  [/^bool/, 'xsd:boolean'],
  [/^timestamp/, 'xsd:dateTime'],
  [/^date$/, 'xsd:date'],
]

function datatypeOf(term: Term, column: unknown, rules: Rules | undefined): string | null {
  if (term.type === '@json') return null
  if (term.type && term.type !== '@id') return term.type
  const named = datatypes.find(([test]) => typeof column === 'string' && test.test(column))
  if (named) return named[1]
  const names = rules?.list.map(({ name }) => name) ?? []
  if (names.includes('isInt')) return 'xsd:integer'
  return names.includes('isBoolean') ? 'xsd:boolean' : 'xsd:string'
}
