import 'reflect-metadata'
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js'
import type { DataSource, EntityMetadata } from 'typeorm'
import type { Class } from './class.ts'
import { type Contexts, type Definitions, type Term, termsOf } from './context.ts'
import { type Rule, type Rules, rulesOf } from './rules.ts'

/** One property as clients see it: its term, its datatype, its rules, and its foreign key. */
export interface Field {
  name: string
  term: Term
  kind: 'value' | 'reference' | 'references'
  /** The class that a reference leads to. */
  target?: Class
  /** The class of the objects in a list, whose rules check each of them. */
  members?: Class
  /** The property with the id of a reference: its foreign key, or a property that SQL computes. */
  key?: string
  /** The datatype of its values, as a compact IRI; null for free-form JSON. */
  datatype: string | null
  /** Whether its value is a list of values; false for a list of references. */
  list: boolean
  writable: boolean
  required: boolean
  nullable: boolean
  rules: Rule[]
  /** The closed set of its possible values, or of the possible members of its list. */
  values?: string[]
}

/** A class as clients see it: its context joined to its columns, relations and rules. */
export interface Shape {
  name: string
  class: Class
  fields: Field[]
  field: Map<string, Field>
  /** The terms of the context that are links to operations, not properties. */
  links: Map<string, Term>
  metadata: EntityMetadata | undefined
}

/** Whether the values of a property are URLs, and not references to items. */
export function isAddress({ kind, term, datatype }: Field): boolean {
  return kind === 'value' && (term.type === '@id' || datatype === 'xsd:anyURI')
}

/**
 * Joins a class with its context.
 * @param links the names of the links that operations add to the class
 * @param definitions its context; by default the context file of its name
 * @throws Error with the file and the property where class and context disagree
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
  // A join column that the class does not declare has the name of the relation.
  const column = metadata?.columns.find(({ propertyName, isVirtual }) => propertyName === name && !isVirtual)
  const getter = Object.getOwnPropertyDescriptor(type.prototype, name)?.get
  // No relation holds a computed reference; class-transformer's @Type names its class.
  const isStored = column ?? relation ?? getter ?? rules
  const isComputed = metadata !== undefined && !isStored && typeGiven(type, name) !== undefined
  if (!isStored && !isComputed) throw new Error(`${file} names "${name}", which ${type.name} does not have.`)
  const reference = term.type === '@id' && !column && !getter
  const target = reference ? targetOf(type, metadata, name, file) : undefined
  const beside = metadata?.columns.find(({ propertyName }) => propertyName === `${name}Id`)
  const key = relation?.isManyToOne ? beside?.propertyName : reference && isComputed ? `${name}Id` : undefined
  if (relation?.isManyToOne && !key) throw new Error(`"${type.name}.${name}" needs a "${name}Id" column beside it.`)
  return {
    name,
    term,
    kind: reference ? (relation?.isOneToMany ? 'references' : 'reference') : 'value',
    target,
    members: rules?.list.some((rule) => rule.name === 'nestedValidation')
      ? (typeGiven(type, name) as Class)
      : undefined,
    key,
    datatype: reference ? null : datatypeOf(term, column?.type, rules),
    list: column?.isArray || rules?.list.some((rule) => rule.name === 'isArray') || typeGiven(type, name) === Array,
    writable: rules !== undefined,
    required: rules?.required ?? false,
    nullable:
      column?.isNullable ??
      beside?.isNullable ??
      rules?.nullable ??
      (isComputed || (getter !== undefined && blank(type, getter))),
    rules: rules?.list ?? [],
    values: (rules?.list.find((rule) => rule.name === 'isIn')?.arguments[0] as string[]) ?? values[name],
  }
}

/** Whether a getter returns null on an entity whose columns are all empty. The property is then nullable. */
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

/**
 * The class in the property's `@Type()`. class-transformer has no public function for that, so this reads its private storage.
 * A test holds the versions that have it.
 */
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
