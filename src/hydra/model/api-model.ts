import type { DataSource } from 'typeorm'
import type { Roles, Tenancy } from './caller.ts'
import type { Class } from './class.ts'
import { Contexts, type Definitions, engineClasses } from './context.ts'
import { prefixHydraTerms } from './hydra-prefix.ts'
import { IriConverter } from './iri-converter.ts'
import { Labels } from './labels.ts'
import type { Operation } from './operation.ts'
import { Permissions } from './permissions.ts'
import type { Resource } from './resource.ts'
import { joinShape, type Shape } from './shape.ts'
import type { Store } from './store.ts'

/** The operations behind one link, and the resource they belong to. */
export interface LinkedOperations {
  resource: Resource
  operations: Operation[]
}

/** The settings of one application. The engine contains none of them. */
export interface ModelOptions {
  /** The start of absolute links, without a slash at its end. */
  publicUrl: string
  /** Writes Hydra's terms as `hydra:member`, as API Platform 3 did. */
  prefix?: boolean
  /** The folder with one context file for each class; it ends with a slash. */
  contexts: URL
  /** The languages that every label and description must have; the first is the default. No text is required when absent. */
  languages?: readonly string[]
  roles: Roles
  tenancy: Tenancy
}

/** The resources with their shapes, contexts and IRIs: the part of the API that every folder of the engine reads. */
export class ApiModel {
  readonly vocabulary: string
  readonly iris: IriConverter
  readonly permissions: Permissions
  readonly roles: Roles
  readonly tenancy: Tenancy
  readonly contexts: Contexts
  /** The labels and descriptions of classes and properties. */
  readonly labels: Labels
  /** Whether Hydra's terms are written as `hydra:member`. */
  readonly prefixed: boolean
  /** The rows of each resource. */
  readonly stores = new Map<Class, Store>()
  private readonly shapes = new Map<Class, Shape>()
  private readonly types = new Map<string, Set<string>>()
  private readonly served = new Map<string, { '@context': object }>()
  private readonly links = new Map<Class, Map<string, LinkedOperations>>()
  private ordered: [key: string, resource: Resource][] | undefined

  /** @throws Error when an entity, its context and its table disagree */
  constructor(
    readonly resources: Resource[],
    readonly database: DataSource,
    { publicUrl, prefix = false, contexts, languages, roles, tenancy }: ModelOptions,
  ) {
    this.prefixed = prefix
    this.roles = roles
    this.tenancy = tenancy
    this.permissions = new Permissions(roles)
    this.contexts = new Contexts(contexts)
    this.iris = new IriConverter(publicUrl, resources)
    this.vocabulary = `${publicUrl}/docs.jsonld#`
    for (const resource of resources) {
      this.permissions.check(resource)
      this.describe(resource.entity)
    }
    for (const { expects } of resources.flatMap(({ operations }) => operations))
      if (typeof expects === 'function' && !this.shapes.has(expects)) this.describe(expects)
    for (const shape of this.shapes.values()) this.checkTargets(shape)
    const listed = this.listed().map(([, { name }]) => name)
    this.labels = new Labels(this.contexts, this.classes, listed, languages)
    this.serve('Error', this.contexts.definitions('Error'))
    this.serve('Entrypoint', this.entrypointTerms())
  }

  /** Every class that a document may have: the resources and the inputs of their operations. */
  get classes(): Shape[] {
    return [...this.shapes.values()]
  }

  shape(type: Class): Shape {
    return this.shapes.get(type) as Shape
  }

  /** The resource whose items have this class. */
  resourceOf(type: Class): Resource {
    const resource = this.resources.find(({ entity }) => entity === type)
    if (!resource) throw new Error(`${type.name} is not a resource of this API.`)
    return resource
  }

  storeOf(type: Class): Store {
    return this.stores.get(type) as Store
  }

  /** Whether a type in a body names the class, or the public class that it is a subclass of. */
  isA(type: unknown, { name }: Class): boolean {
    return this.types.get(name)?.has(type as string) ?? false
  }

  context(name: string): { '@context': object } | undefined {
    return this.served.get(name)
  }

  /** The operations behind the links on items of this class, by the link's name. */
  linksOf(type: Class): ReadonlyMap<string, LinkedOperations> {
    const known = this.links.get(type)
    if (known) return known
    const links = new Map<string, LinkedOperations>()
    for (const resource of this.resources)
      for (const operation of resource.operations)
        if (operation.link && (operation.link.on ?? resource.entity) === type) {
          const link = links.get(operation.link.name) ?? { resource, operations: [] }
          link.operations.push(operation)
          links.set(operation.link.name, link)
        }
    this.links.set(type, links)
    return links
  }

  /** The collections of the entrypoint by their keys, in alphabetical order. */
  listed(): [key: string, resource: Resource][] {
    this.ordered ??= this.resources
      .filter(({ listed }) => listed)
      .map((resource): [string, Resource] => [resource.name[0].toLowerCase() + resource.name.slice(1), resource])
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return this.ordered
  }

  /** Whether an operation requires a body. */
  needsBody({ method, expects }: Operation, own: Shape): boolean {
    const input = expects === 'self' ? own : typeof expects === 'function' ? this.shape(expects) : undefined
    return method === 'PATCH' || expects === 'file' || (input?.fields.some(({ required }) => required) ?? false)
  }

  /** Writes an object's Hydra terms as this API spells them. */
  spell<T extends object | undefined>(node: T): T {
    return (node && this.prefixed ? prefixHydraTerms(node) : node) as T
  }

  /** The assertion that the members of a collection have the class (Hydra Core, §5.1). */
  assertionOf({ name }: Pick<Shape, 'name'>): object {
    return this.spell({ property: { '@id': 'rdf:type' }, object: { '@id': this.vocabulary + name } })
  }

  private describe(type: Class): void {
    if (engineClasses.includes(type.name))
      throw new Error(`The engine has a class ${type.name}. Give the entity another name.`)
    const shape = joinShape(type, this.database, this.contexts, this.linksOf(type).keys())
    const { name } = shape
    this.shapes.set(type, shape)
    this.types.set(name, new Set([name, this.vocabulary + name, ...spellings(this.contexts.read(name).subClassOf)]))
    this.serve(name, this.contexts.definitions(name))
  }

  private checkTargets({ name, fields }: Shape): void {
    for (const field of fields)
      if (field.target && !this.resources.some(({ entity }) => entity === field.target))
        throw new Error(`"${name}.${field.name}" leads to ${field.target.name}, which is not a resource of this API.`)
  }

  private serve(name: string, definitions: Definitions): void {
    this.served.set(name, this.contexts.served(definitions, this.vocabulary, this.prefixed))
  }

  private entrypointTerms(): Definitions {
    return {
      collection: { '@id': 'hydra:collection', '@container': '@set' },
      manages: 'hydra:manages',
      ...Object.fromEntries(this.listed().map(([key]) => [key, { '@id': `Entrypoint/${key}`, '@type': '@id' }])),
    }
  }
}

/** A class of a public vocabulary, in the prefixed form of the contexts and in full. */
function spellings(iri: string | undefined): string[] {
  return iri ? [iri, iri.replace(/^schema:/, 'https://schema.org/')] : []
}
