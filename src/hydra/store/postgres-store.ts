import type { EntityMetadata } from 'typeorm'
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js'
import type { Caller, Role } from '../model/caller.ts'
import type { Class } from '../model/class.ts'
import type { Found, Selection, SentRow, Sum, SummedRows } from '../model/page.ts'
import type { Executor, ReadKey, Scope, Store } from '../model/store.ts'
import { isUuid, unstorableIn } from '../model/text.ts'
import { KeyedStatement } from './batch/keyed-statement.ts'
import { type PageQuery, pageQuery } from './page-query.ts'
import { keptTotals } from './row-totals.ts'
import { type SentColumn, SentPage } from './sent-rows.ts'
import { type SumQuery, sumQuery } from './sum-query.ts'

interface Statements {
  scope: string
  find: KeyedStatement
  show: KeyedStatement
  existing: KeyedStatement
}

/** The options of a store. */
interface Reading {
  /** The rows of each role; by default those of its tenant. */
  scope?: Scope
  /** Every role of the application. */
  roles: readonly Role[]
  /** The column with the tenant's id. */
  tenantColumn: string
  /** The columns that serialization reads. Absent means all, because a shown property is computed from other columns. */
  shown?: Set<string>
  /** The collation that sorts texts; by default the database's. */
  collation?: string
  /** Expressions of SQL that are read with each row, by name. */
  computed?: Record<string, string>
  /** Further rows that a role finds by their id alone. */
  named?: Partial<Record<Role, string>>
  /** Whether the scope finds rows of other tenants than the caller's. */
  everyTenant?: true
  /** Whether a text may be an id that is no UUID. */
  isId?(id: string): boolean
  /** The columns, where documents are written from the texts that Postgres sends. Entities are then made on demand. */
  sent?: Map<string, SentColumn>
}

/** Reads rows from Postgres. Its statements are built once, from TypeORM's metadata, and each contains the scope. */
export class PostgresStore<E extends object> implements Store<E> {
  private readonly byRole: Map<Role, Statements>
  private readonly uuids: boolean
  private readonly pages: PageQuery
  private readonly readSums: SumQuery
  private readonly isId: Reading['isId']
  private readonly everyTenant: true | undefined
  private readonly ownScope: string
  private readonly isSent: boolean
  private readonly columns: [name: string, column: SentColumn][]

  constructor(
    private readonly metadata: EntityMetadata,
    { roles, tenantColumn, scope = ofTenant(tenantColumn), shown, collation, ...reading }: Reading,
  ) {
    const { computed = {}, named = {}, isId, everyTenant, sent } = reading
    this.isId = isId
    this.everyTenant = everyTenant
    this.ownScope = ofTenant(tenantColumn).default
    this.isSent = sent !== undefined
    this.uuids = metadata.columns.find(({ propertyName }) => propertyName === 'id')?.type === 'uuid'
    const all = metadata.columns.filter(({ isSelect }) => isSelect)
    const needed = all.filter(({ propertyName }) => shown?.has(propertyName) ?? true)
    this.columns = [...(sent ?? [])]
    const further = Object.entries(computed).map(([name, sql]) => `, (${sql}) AS "${name}"`)
    const [every, some] = [all, needed].map((columns) => list(columns) + further.join(''))
    const names = this.columns.map(([name]) => `"${name}"`).join(', ')
    this.pages = pageQuery(metadata, sent ? names : some, {
      counted: keptTotals(metadata, tenantColumn) ? scope.default : undefined,
      collation,
      tenantColumn,
      sent: sent?.size,
      everyTenant,
    })
    this.readSums = sumQuery(metadata)
    const byCondition = new Map<string, Statements>()
    this.byRole = new Map(
      roles.map((role) => {
        const condition = scope[role] ?? scope.default
        const found = named[role] ? `${condition} OR ${named[role]}` : condition
        const name = `${metadata.tableName}:${byCondition.size}`
        const known = byCondition.get(found) ?? this.compile(name, { scope: condition, found, all: every, shown: some })
        byCondition.set(found, known)
        return [role, known]
      }),
    )
  }

  private compile(
    name: string,
    { scope, found, all, shown }: Record<'scope' | 'found' | 'all' | 'shown', string>,
  ): Statements {
    const hasId = this.metadata.columns.some(({ propertyName }) => propertyName === 'id')
    const types = { tenant: 'uuid', user: 'uuid', id: this.uuids ? 'uuid' : 'text' } as const
    const keyed = (kind: string, columns: string, condition: string) => {
      const rows = `SELECT ${columns} FROM "${this.metadata.tableName}" WHERE (${condition})`
      return new KeyedStatement({
        name: `${name}:${kind}`,
        each: hasId ? `${rows} AND "id" = :id` : rows,
        types,
        everyTenant: this.everyTenant,
        several: hasId ? { text: `${rows} AND "id" = ANY(:ids)`, by: 'id' } : undefined,
      })
    }
    return {
      scope,
      find: keyed('find', all, found),
      show: keyed('show', shown, found),
      existing: keyed('existing', '"id"', scope),
    }
  }

  async find(executor: Executor, caller: Caller, id: string | undefined, shown = false): Promise<E | undefined> {
    if (id !== undefined && !this.accepts(id)) return undefined
    const { find, show } = this.statements(caller)
    const [row] = await (shown ? show : find).read(executor, [keyOf(caller, id)])
    return row && this.hydrate(row)
  }

  async several(executor: Executor, caller: Caller, ids: string[]): Promise<E[]> {
    const keys = ids.filter((id) => this.accepts(id)).map((id) => keyOf(caller, id))
    return (await this.statements(caller).show.read(executor, keys)).map((row) => this.hydrate(row))
  }

  async page(executor: Executor, caller: Caller, selection: Selection): Promise<Found<E>> {
    const { tenant, user } = caller
    const { rows, ...rest } = await this.pages.read(
      executor,
      this.statements(caller).scope,
      { tenant, user },
      selection,
    )
    if (this.isSent) return new SentPage(rows as SentRow[], (row) => this.read(row), rest)
    const entities = rows.map((row) => this.hydrate(row))
    return { entities, first: entities[0], last: entities.at(-1), ...rest }
  }

  batchesPage(executor: Executor, caller: Caller, selection: Selection): boolean {
    return this.pages.batches(executor, this.statements(caller).scope, selection)
  }

  sums(executor: Executor, caller: Caller, rows: SummedRows): Promise<Sum[]> {
    const { tenant, user } = caller
    return this.readSums(executor, this.statements(caller).scope, { tenant, user }, rows)
  }

  async existing(executor: Executor, caller: Caller, ids: string[]): Promise<string[]> {
    const keys = ids.map((id) => keyOf(caller, id))
    return (await this.statements(caller).existing.read(executor, keys)).map(({ id }) => id as string)
  }

  isScopedByTenant(caller: Caller): boolean {
    return caller.tenant !== null && this.statements(caller).scope === this.ownScope
  }

  accepts(id: string): boolean {
    if (this.uuids) return isUuid(id)
    return this.isId?.(id) ?? (id.length <= 64 && unstorableIn(id) === undefined)
  }

  private statements(caller: Caller): Statements {
    return this.byRole.get(caller.role) as Statements
  }

  private read(row: SentRow): E {
    const entity: Record<string, unknown> = Object.create((this.metadata.target as Class<E>).prototype)
    for (let at = 0; at < this.columns.length; at++) {
      const [name, { read }] = this.columns[at]
      const text = row[at]
      entity[name] = text === null ? null : read(text)
    }
    return entity as E
  }

  /** Sets the prototype of a row to the class, so that the getters and methods of the entity work. No constructor runs. */
  private hydrate(row: object): E {
    return Object.setPrototypeOf(row, (this.metadata.target as Class<E>).prototype)
  }
}

function keyOf({ tenant, user }: Caller, id: string | undefined): ReadKey {
  return { tenant, user, id }
}

/** The default scope: the rows of the caller's tenant. */
function ofTenant(column: string): Scope {
  return { default: `"${column}" = :tenant` }
}

function list(columns: ColumnMetadata[]): string {
  return columns.map(({ databaseName }) => `"${databaseName}"`).join(', ')
}
