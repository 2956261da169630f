import type { Caller, Role } from './caller.ts'
import type { Class } from './class.ts'
import type { Filters } from './filter.ts'
import type { Operation } from './operation.ts'
import type { Scope, Store } from './store.ts'

export interface ResourceOptions<E extends object> {
  /** Which rows a role sees; the rows of its own organization unless said otherwise. */
  scope?: Scope
  /** What a role does not see of a row: null or an empty list stands there. */
  hidden?: Partial<Record<Role, readonly string[]>>
  /** What a role sees only a part of, and which. */
  masked?: Partial<Record<Role, Record<string, (value: string) => string>>>
  /** As what the caller sees this one row, when that is not its role. */
  viewedAs?(entity: E, caller: Caller): Role
  /** Which rows are shown whole, as a condition of SQL, and as whom the others are seen; filters by what that hides skip those. */
  whole?: { when: string; otherwise: Role }
  /** What is read with each row that no column holds, by name: expressions of SQL. */
  computed?: Record<string, string>
  /** Which rows a role sees at their own address alone: no collection holds them, and no body may refer to them. */
  named?: Partial<Record<Role, string>>
  /** What its collection can be narrowed by, beside the id. */
  filters?: Filters
  /** What it can be ordered by, beside the id: columns that are never null, each with an index. */
  order?: string[]
  /** The properties that free text is looked for in; its column "searchText" keeps them folded, by a trigger. */
  text?: string[]
  /** How many items a page of its collection holds at most, when that is not the usual number. */
  most?: number
  /** Whether totals of whole tenants are kept as they change, instead of counted; its table has the trigger "counted". */
  counted?: true
  /** Where the rows are, when not in Postgres. */
  store?: Store<E>
  /** One a tenant, known by its path alone. */
  singleton?: true
  /** The one spelling of an id, when it is no UUID. */
  canonical?(id: string): string
  /** Whether a text in that spelling may be an id, when it is no UUID. */
  isId?(id: string): boolean
  /** Whether clients may keep it in shared caches: what is the same for everybody. */
  public?: true
  /** Whether clients may not keep it at all: what must not linger on a disk, such as what somebody pays with. */
  sensitive?: true
}

/** A class of things with an address: where it lives and what it can be asked. A row of the table. */
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

  /** The one spelling of an id: a UUID is written in lower case and read in either (RFC 9562 §4). */
  canonical(id: string): string {
    return this.options.canonical?.(id) ?? id.toLowerCase()
  }

  /** Whether it is a collection that the entrypoint names. */
  get listed(): boolean {
    return this.operations.some(({ method, path }) => method === 'GET' && path === '') && !this.options.singleton
  }

  /** Whom one row is shown as. */
  viewer(entity: E, caller: Caller): Role {
    const { whole, viewedAs } = this.options
    if (whole && (entity as { whole?: boolean }).whole === false) return whole.otherwise
    return viewedAs?.(entity, caller) ?? caller.role
  }

  hides(role: Role, name: string): boolean {
    return this.options.hidden?.[role]?.includes(name) ?? false
  }

  /** The properties that the role does not see, or not whole, in every row: nothing may be asked by them. */
  concealed(role: Role): Set<string> {
    const { hidden = {}, masked = {}, viewedAs } = this.options
    const seenAs = viewedAs ? Object.keys({ ...hidden, ...masked }) : [role]
    return new Set(seenAs.flatMap((each) => [...(hidden[each] ?? []), ...Object.keys(masked[each] ?? {})]))
  }

  /** Makes of a value what the role may see of it; undefined where that is all. */
  mask(role: Role, name: string): ((value: string) => string) | undefined {
    return this.options.masked?.[role]?.[name]
  }
}
