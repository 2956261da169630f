import type { RequestHandler, Response, Router } from 'express'
import type { DataSource, EntityMetadata } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import type { ClassReference } from './documentation/class-reference.ts'
import { documents } from './documentation/documents.ts'
import { referenceOf } from './documentation/reference.ts'
import { collectionTail } from './formats/collection-tail.ts'
import { type FormField, formFields } from './formats/form-fields.ts'
import { formNames } from './formats/form-names.ts'
import type { Pages } from './formats/html.ts'
import { rowWriters as compileRowWriters } from './formats/row-writer.ts'
import { serializer } from './formats/serializer.ts'
import type { AccessControl } from './http/authenticate.ts'
import type { ApiInfo, ApiOptions, BoundApi, BoundResource } from './http/bound-api.ts'
import { deleteExpired } from './http/delete-expired.ts'
import { genericTitles } from './http/operation-titles.ts'
import { router } from './http/router.ts'
import { type ChangeStreams, changeStreams, type StreamOptions } from './http/streams/stream-routes.ts'
import { type WholeCollection, wholeCollections } from './http/whole-collections.ts'
import { writeProblem } from './http/write-problem.ts'
import { compiledRules } from './input/compiled-rules.ts'
import { ApiModel } from './model/api-model.ts'
import type { Caller } from './model/caller.ts'
import type { Class } from './model/class.ts'
import { checkOperationTexts } from './model/labels.ts'
import type { Operation } from './model/operation.ts'
import { Problem } from './model/problem.ts'
import type { Resource } from './model/resource.ts'
import type { Shape } from './model/shape.ts'
import type { Store } from './model/store.ts'
import { compileSearch, type Search, searchesOf } from './query/search.ts'
import { problemOf } from './store/database-problem.ts'
import { FairPool, type Pools } from './store/fair-pool.ts'
import { PostgresStore } from './store/postgres-store.ts'
import { requireTables } from './store/required-tables.ts'
import { checkResource } from './store/resource-requirements.ts'
import { type SentColumn, sentColumns, shownColumns } from './store/sent-rows.ts'
import { compileToMany } from './store/to-many.ts'

/** The whole API, joined and checked once, at boot. */
export class Api extends ApiModel implements BoundApi {
  /** Deletes stored responses and changes that are too old. */
  static readonly deleteExpired = deleteExpired
  readonly info: ApiInfo
  readonly pools: Pools
  readonly pages: Pages | undefined
  streamed = false
  /** The names of the hidden fields of a page's forms. */
  readonly formNames = formNames
  private readonly bound = new Map<Class, BoundResource>()

  /** @throws an Error with a sentence where entity, context and table disagree */
  constructor(
    resources: Resource[],
    database: DataSource,
    readonly options: ApiOptions,
  ) {
    super(resources, database, options)
    checkOperationTexts(this.contexts, resources, options.languages, genericTitles)
    this.info = options.info
    this.pools = options.pools ?? poolsOf(database)
    for (const shape of this.classes) compiledRules(shape)
    for (const resource of resources) this.bound.set(resource.entity, this.bind(resource))
    this.pages = options.pages?.(this)
  }

  of(type: Class): BoundResource {
    const bound = this.bound.get(type)
    if (!bound) throw new Error(`${type.name} is not a resource of this API.`)
    return bound
  }

  /** Compares the classes with the tables of the database. @throws Error that names the table and the remedy */
  requireTables(): Promise<void> {
    return requireTables(this.database)
  }

  /** Serves the resources. */
  router(access: AccessControl): RequestHandler {
    return router(this, access)
  }

  /** Serves streams of the changes that callers may see. Call it before `documents`, which describe them. */
  changeStreams(access: AccessControl, options: StreamOptions): ChangeStreams {
    this.streamed = true
    return changeStreams(this, access, options)
  }

  /** Serves the entrypoint, the contexts and the documentation. */
  documents(access: AccessControl): Router {
    return documents(this, access)
  }

  /** Every class with its operations, properties and filters, for a reference that people read. */
  reference(): ClassReference[] {
    return referenceOf(this)
  }

  /** The document that a caller gets for an entity. */
  document(entity: object, caller: Caller): object {
    const { shape, serialize } = this.of(entity.constructor as Class)
    return serialize(entity, caller, { '@context': this.iris.at(`/contexts/${shape.name}`) })
  }

  /** All rows that a caller of a tenant sees, by collection. */
  wholeCollections(caller: Caller): WholeCollection[] {
    return wholeCollections(this, caller)
  }

  /** The problem that an error means for the client; undefined for an error of the server. */
  problemOf(error: unknown): Problem | undefined {
    return error instanceof Problem ? error : problemOf(this, error)
  }

  /** The fields that an operation accepts from a caller, in a body of a class. */
  formFields(shape: Shape, operation: Operation, { role }: Caller): FormField[] {
    return formFields(this, shape, operation, role)
  }

  writeProblem(problem: Problem, response: Response): Promise<void> {
    return writeProblem(this, problem, response)
  }

  private bind(resource: Resource): BoundResource {
    const shape = this.shape(resource.entity)
    checkResource(resource, shape, this.tenancy)
    const search = compileSearch(this, resource, shape)
    const searches = searchesOf(this, resource, shape, search)
    const columns = shape.metadata ? sentColumns(shape.metadata, shownColumns(shape, search)) : new Map()
    const rowWriters = compileRowWriters(this, resource, shape, columns)
    const sent = rowWriters.size > 0 ? columns : undefined
    const store = resource.options.store ?? this.postgresStore(resource, shape, search, sent)
    this.stores.set(resource.entity, store)
    return {
      resource,
      shape,
      handled: { shape, tenantColumn: this.tenancy.column, iri: (entity) => resource.iri(entity) },
      store,
      loadToMany: compileToMany(shape, this.tenancy.column),
      search,
      searches,
      tails: new Map(
        [...searches].map(([role, { template }]) => [
          role,
          collectionTail(this.spell({ search: template, memberAssertion: this.assertionOf(shape) })),
        ]),
      ),
      serialize: serializer(this, resource, shape),
      rowWriters,
    }
  }

  private postgresStore(
    { options }: Resource,
    shape: Shape,
    search: Search,
    sent: Map<string, SentColumn> | undefined,
  ): Store {
    const { scope, whole, named, isId, everyTenant } = options
    const computed = { ...options.computed, ...(whole && { whole: `(${whole.when}) IS TRUE` }) }
    return new PostgresStore(metadataOf(shape), {
      scope,
      collation: this.options.collation,
      computed,
      named,
      isId,
      everyTenant,
      shown: shownColumns(shape, search),
      roles: this.roles.all,
      tenantColumn: this.tenancy.column,
      sent,
    })
  }
}

function metadataOf({ name, metadata }: Shape): EntityMetadata {
  if (!metadata)
    throw new Error(`${name} is not an entity of the data source: add it there, or give its resource a store.`)
  return metadata
}

function poolsOf({ driver }: DataSource): Pools {
  const pool = new FairPool((driver as PostgresDriver).master, { name: 'the database', waiting: 256 })
  return { items: pool, lists: pool }
}
