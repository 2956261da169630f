import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { type CollectionTail, collectionTail } from './formats/collection-tail.ts'
import { type Serialize, serializer } from './formats/serializer.ts'
import type { AnsweredAs, Caller, Role } from './model/caller.ts'
import { readDefinitions, readParent, servedContext } from './model/context.ts'
import { prefixHydraTerms } from './model/hydra-prefix.ts'
import type { LocalTime } from './model/local-time.ts'
import { type Class, type Operation, tenantRoles } from './model/operation.ts'
import type { Resource } from './model/resource.ts'
import { joinShape, type Shape } from './model/shape.ts'
import { compileSearch, type Search, searchesOf } from './query/search.ts'
import type { ConflictMessage } from './store/database-problem.ts'
import { FairPool } from './store/fair-pool.ts'
import { PostgresStore, type Store } from './store/postgres-store.ts'
import type { Executor, Replicas } from './store/statement.ts'
import { compileToMany, type LoadToMany } from './store/to-many.ts'

/** A resource joined to its context, its rows and its way onto the wire. */
export interface Bound {
  resource: Resource
  shape: Shape
  store: Store
  lists: LoadToMany
  /** The search of all roles together, and that of each. */
  search: Search
  searches: Map<Role, Search>
  /** What a collection of each role ends with: its search, and what its members are (Hydra Core, §5.1). */
  tails: Map<Role, CollectionTail>
  serialize: Serialize
}

/** The operations behind one link, and the resource they belong to. */
export interface LinkedOperations {
  resource: Resource
  operations: Operation[]
}

export interface Settings {
  /** What absolute links start with; no slash at its end. */
  publicUrl: string
  /** Writes Hydra's terms as `hydra:member`, as API Platform 3 did. */
  prefix?: boolean
  /** What to say when a rule of the database about the state of things is broken, by the rule's name. */
  conflicts?: Record<string, ConflictMessage>
  /** Whether the caller still has the role of the tenant, or a higher one, by what is stored now; always when absent. */
  holds?(executor: Executor, caller: Caller, right: AnsweredAs): Promise<boolean>
  /** How a date-time without offset is read for a caller; refused where that is undefined, or absent. */
  localTime?(executor: Executor, caller: Caller): Promise<LocalTime | undefined>
  /** The collation by which texts are ordered; that of the database unless given. */
  collation?: string
  /** The connections of items and of lists; those of the database for both unless given. */
  pools?: Pools
  /** Where lists are read, if not where they are written. */
  replicas?: Replicas
}

/** The connections of a process: slow lists leave those of items and writes free. */
export interface Pools {
  items: FairPool
  lists: FairPool
}

/** The whole API, joined and checked: what every part of the engine asks about resources. */
export class Api {
  readonly vocabulary: string
  /** Scheme and authority that the server is found at. */
  readonly origin: string
  /** The path that it is served under, without a slash at its end; empty for the root. */
  readonly root: string
  readonly pools: Pools
  private readonly bound = new Map<Class, Bound>()
  private readonly shapes = new Map<Class, Shape>()
  private readonly types = new Map<string, Set<string>>()
  private readonly served = new Map<string, { '@context': object }>()

  /** @throws an Error with a sentence where entity, context and table disagree. */
  constructor(
    readonly resources: Resource[],
    readonly database: DataSource,
    readonly settings: Settings,
  ) {
    this.pools = settings.pools ?? poolOf(database)
    this.root = rootOf(settings.publicUrl)
    this.origin = settings.publicUrl.slice(0, settings.publicUrl.length - this.root.length)
    this.vocabulary = `${settings.publicUrl}/docs.jsonld#`
    for (const resource of resources) this.bind(resource)
    for (const operation of resources.flatMap(({ operations }) => operations))
      if (typeof operation.expects === 'function' && !this.shapes.has(operation.expects))
        this.describe(operation.expects)
    for (const shape of this.shapes.values()) this.checkTargets(shape)
    this.serve('Error', readDefinitions('Error'))
    this.serve('Entrypoint', this.entrypointTerms())
  }

  /** Every class that documents may be of: resources and the inputs of their operations. */
  get classes(): Shape[] {
    return [...this.shapes.values()]
  }

  /** The resource whose items are of this class. */
  of(type: Class): Bound {
    const bound = this.bound.get(type)
    if (!bound) throw new Error(`${type.name} is not a resource of src/api.ts.`)
    return bound
  }

  shape(type: Class): Shape {
    return this.shapes.get(type) as Shape
  }

  /** Whether a type, as a body names it, says that a node is of the class, or of the one that it is a kind of. */
  isA(type: unknown, { name }: Class): boolean {
    return this.types.get(name)?.has(type as string) ?? false
  }

  context(name: string): { '@context': object } | undefined {
    return this.served.get(name)
  }

  /** The operations that a link of this class's items leads to, by the link's name. */
  linksOf(type: Class): Map<string, LinkedOperations> {
    const links = new Map<string, LinkedOperations>()
    for (const resource of this.resources)
      for (const operation of resource.operations)
        if (operation.link && (operation.link.on ?? resource.entity) === type) {
          const link = links.get(operation.link.name) ?? { resource, operations: [] }
          link.operations.push(operation)
          links.set(operation.link.name, link)
        }
    return links
  }

  /** A path of the table or of a document as it is written in answers: under the path that the server is served under. */
  at(path: string): string {
    return this.root + path
  }

  /** The path of the table or of a document that an IRI of this server names, absolute or not; undefined for other IRIs. */
  local(iri: string): string | undefined {
    const { publicUrl } = this.settings
    if (iri.startsWith(`${publicUrl}/`)) return iri.slice(publicUrl.length)
    return iri.startsWith(`${this.root}/`) ? iri.slice(this.root.length) : undefined
  }

  /** Splits an IRI of this server, absolute or not, into the resource and the id it names, in its canonical spelling. */
  parse(iri: string): { bound: Bound; id: string } | undefined {
    const path = this.local(iri)
    if (path === undefined) return undefined
    const slash = path.lastIndexOf('/')
    const bound = [...this.bound.values()].find(({ resource }) => resource.path === path.slice(0, slash))
    if (!bound || bound.resource.options.singleton) return undefined
    return { bound, id: bound.resource.canonical(decode(path.slice(slash + 1))) }
  }

  /** Whether the operation is for this caller. */
  allows(operation: Operation, { role, readOnlyReason }: Pick<Caller, 'role' | 'readOnlyReason'>): boolean {
    return (operation.may ?? tenantRoles).includes(role) && (readOnlyReason === undefined || sparesFrozen(operation))
  }

  /** Whether the caller may read an item at its own address. */
  reads(resource: Resource, entity: object, caller: Caller): boolean {
    const path = resource.options.singleton ? '' : '/:id'
    const read = resource.operations.find((operation) => operation.method === 'GET' && operation.path === path)
    return read !== undefined && this.allows(read, { role: resource.viewer(entity, caller) })
  }

  /** Whether an operation makes no sense without a body. */
  needsBody({ method, expects }: Operation, { shape }: Bound): boolean {
    const input = expects === 'self' ? shape : typeof expects === 'function' ? this.shape(expects) : undefined
    return method === 'PATCH' || expects === 'file' || (input?.fields.some(({ required }) => required) ?? false)
  }

  /** Writes an object's Hydra terms as this API spells them. */
  spell<T extends object | undefined>(node: T): T {
    return (node && this.settings.prefix ? prefixHydraTerms(node) : node) as T
  }

  private bind(resource: Resource): void {
    const shape = this.describe(resource.entity)
    const search = compileSearch(this, resource, shape)
    const searches = searchesOf(this, resource, shape, search)
    const { scope, counted, whole, named, isId } = resource.options
    const computed = { ...resource.options.computed, ...(whole && { whole: whole.when }) }
    const store =
      resource.options.store ??
      new PostgresStore(this.metadataOf(shape), {
        scope,
        counted,
        collation: this.settings.collation,
        computed,
        named,
        isId,
        spoken: spokenColumns(shape, search),
      })
    const lists = compileToMany(shape)
    this.bound.set(resource.entity, {
      resource,
      shape,
      store,
      lists,
      search,
      searches,
      tails: new Map(
        [...searches].map(([role, { template }]) => [
          role,
          collectionTail(this.spell({ search: template, memberAssertion: this.assertionOf(shape) })),
        ]),
      ),
      serialize: serializer(this, resource, shape),
    })
  }

  /** That the members of a collection are of the class (Hydra Core, §5.1). */
  assertionOf({ name }: Pick<Shape, 'name'>): object {
    return this.spell({ property: { '@id': 'rdf:type' }, object: { '@id': this.vocabulary + name } })
  }

  private metadataOf(shape: Shape) {
    if (!shape.metadata)
      throw new Error(`${shape.name} is not an entity: add it to entities/index.ts, or give its resource a store.`)
    return shape.metadata
  }

  private describe(type: Class): Shape {
    const shape = joinShape(type, this.database, this.linksOf(type).keys())
    this.shapes.set(type, shape)
    this.types.set(
      shape.name,
      new Set([shape.name, this.vocabulary + shape.name, ...spellings(readParent(shape.name))]),
    )
    this.serve(shape.name, readDefinitions(shape.name))
    return shape
  }

  private checkTargets({ name, fields }: Shape): void {
    for (const field of fields)
      if (field.target && !this.bound.has(field.target))
        throw new Error(`"${name}.${field.name}" leads to ${field.target.name}, which is not a resource of src/api.ts.`)
  }

  private serve(name: string, definitions: Parameters<typeof servedContext>[0]): void {
    this.served.set(name, servedContext(definitions, this.vocabulary, this.settings.prefix))
  }

  private entrypointTerms(): Parameters<typeof servedContext>[0] {
    return {
      collection: { '@id': 'hydra:collection', '@container': '@set' },
      manages: 'hydra:manages',
      ...Object.fromEntries(this.listed().map(([key]) => [key, { '@id': `Entrypoint/${key}`, '@type': '@id' }])),
    }
  }

  /** The collections of the entrypoint by their keys, in alphabetical order. */
  listed(): [key: string, resource: Resource][] {
    return this.resources
      .filter(({ listed }) => listed)
      .map((resource): [string, Resource] => [resource.name[0].toLowerCase() + resource.name.slice(1), resource])
      .sort(([a], [b]) => (a < b ? -1 : 1))
  }
}

/** The path in a URL without query and fragment, without a slash at its end. */
export function rootOf(url: string): string {
  const { pathname } = new URL(url)
  return pathname.endsWith('/') ? pathname.slice(0, -1) : pathname
}

/** A class of a public vocabulary, as our contexts write it and in full. */
function spellings(iri: string | undefined): string[] {
  return iri ? [iri, iri.replace(/^schema:/, 'https://schema.org/')] : []
}

/** The columns that an item of the class is written from; undefined where something is computed from others. */
function spokenColumns({ class: type, fields, links }: Shape, { sortable }: Search): Set<string> | undefined {
  const computed = fields.some(({ name }) => Object.getOwnPropertyDescriptor(type.prototype, name)?.get)
  if (computed || links.size > 0) return undefined
  return new Set(['id', 'version', ...sortable, ...fields.map(({ name, key }) => key ?? name)])
}

function poolOf({ driver }: DataSource): Pools {
  const pool = new FairPool((driver as PostgresDriver).master, { name: 'the database', waiting: 256 })
  return { items: pool, lists: pool }
}

/** Reading, what is not about the caller's own organization, and what is said to be done even so. */
function sparesFrozen({ method, may, allowedWhileReadOnly }: Operation): boolean {
  return method === 'GET' || may?.includes('guest') || allowedWhileReadOnly === true
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
