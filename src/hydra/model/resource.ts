import type { Caller, Role } from './caller.ts'
import type { Class } from './class.ts'
import type { Filters } from './filter.ts'
import type { Operation } from './operation.ts'
import type { Scope, Store } from './store.ts'

export interface ResourceOptions<E extends object> {
  /** The rows that each role sees; by default the rows of its own organization. */
  scope?: Scope
  /** The properties that a role does not see. A response has null or an empty list in their place. */
  hidden?: Partial<Record<Role, readonly string[]>>
  /** The properties that a role sees in part, each with the function that shortens its value. */
  masked?: Partial<Record<Role, Record<string, (value: string) => string>>>
  /** The role that this one row is shown as; by default the caller's. */
  viewedAs?(entity: E, caller: Caller): Role
  /** An SQL condition for rows that are shown whole. Other rows are shown as the role `otherwise`; filters by its hidden properties skip them. */
  whole?: { when: string; otherwise: Role }
  /** Properties that no column holds: SQL expressions by name, read with each row. */
  computed?: Record<string, string>
  /** Further rows that a role sees at their own IRI only. No collection lists them, and no body may refer to them. */
  named?: Partial<Record<Role, string>>
  /** Whether its scope finds rows of other tenants than the caller's. Row-level security then admits every tenant to a read of an item. */
  everyTenant?: true
  /** The filters of its collection, beside the id. */
  filters?: Filters
  /** The properties that its collection can be sorted by, beside the id. Their columns are never null and have an index. */
  order?: string[]
  /** The properties that a text search covers. A trigger keeps their folded text in the column "searchText". */
  text?: string[]
  /** The most items of a page, when it differs from the default. */
  most?: number
  /** The store of its rows; by default Postgres. */
  store?: Store<E>
  /** Whether each tenant has one item, whose IRI is the path. */
  singleton?: true
  /** The canonical spelling of an id that is no UUID. */
  canonical?(id: string): string
  /** Whether a canonical text has the form of an id, when ids are no UUIDs. */
  isId?(id: string): boolean
  /** Whether shared caches may store it, because it is the same for every caller. */
  public?: true
  /** Whether no cache may store it, because it must not remain on a disk: for example, payment methods. It is never compressed. */
  sensitive?: true
}

/** A class whose items have IRIs, with its path and its operations. */
export class Resource<E extends object = object> {
  constructor(
    readonly entity: Class<E>,
    readonly path: string,
    readonly operations: Operation<E>[],
    readonly options: ResourceOptions<E> = {},
  ) {}

  get name(): string {
    return this.entity.name
  }

  /** The canonical path of an item, which is its `@id`. */
  iri(entity: E): string {
    return this.options.singleton ? this.path : `${this.path}/${encodeURIComponent((entity as { id: string }).id)}`
  }

  /** The canonical spelling of an id. A UUID is written in lower case and read in either case (RFC 9562 §4). */
  canonical(id: string): string {
    return this.options.canonical?.(id) ?? id.toLowerCase()
  }

  /** Whether the entrypoint lists its collection. */
  get listed(): boolean {
    return this.operations.some(({ method, path }) => method === 'GET' && path === '') && !this.options.singleton
  }

  /** The role that one row is shown as. */
  viewer(entity: E, caller: Caller): Role {
    const { whole, viewedAs } = this.options
    if (whole && (entity as { whole?: boolean }).whole === false) return whole.otherwise
    return viewedAs?.(entity, caller) ?? caller.role
  }

  hides(role: Role, name: string): boolean {
    return this.options.hidden?.[role]?.includes(name) ?? false
  }

  /** The properties that are hidden or masked for the role in some row. They can be neither filtered nor sorted by. */
  concealed(role: Role): Set<string> {
    const { hidden = {}, masked = {}, viewedAs } = this.options
    const seenAs = viewedAs ? Object.keys({ ...hidden, ...masked }) : [role]
    return new Set(seenAs.flatMap((each) => [...(hidden[each] ?? []), ...Object.keys(masked[each] ?? {})]))
  }

  /** The function that masks a value for the role; undefined where the role sees the whole value. */
  mask(role: Role, name: string): ((value: string) => string) | undefined {
    return this.options.masked?.[role]?.[name]
  }
}
