import type { EntityManager, EntityMetadata } from 'typeorm'
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js'
import { unstorable } from './body.ts'
import type { Caller, Role } from './caller.ts'
import { roles } from './caller.ts'
import type { Class } from './operation.ts'
import type { Executor, Statement } from './sql.ts'
import { statement } from './sql.ts'

/** Which part of a collection. */
export interface Slice {
  limit: number
  offset: number
}

/** Where the rows of a class are found, each seen through the scope of whoever asks. */
export interface Store<E extends object = object> {
  /** @param shown whether it is only to be written out, so that no more than that takes is read */
  find(executor: Executor, caller: Caller, id: string | undefined, shown?: boolean): Promise<E | undefined>
  page(executor: Executor, caller: Caller, slice: Slice, where?: Subset): Promise<{ entities: E[]; total: number }>
  /** Which of these ids the caller may refer to. */
  existing(executor: Executor, caller: Caller, ids: string[]): Promise<string[]>
  /** Whether a text could be an id at all, so that no query is asked about nonsense. */
  accepts(id: string): boolean
}

/** Narrows a collection to the rows whose column has a value: the invoices of one subscription. */
export interface Subset {
  column: string
  value: string
}

/** SQL conditions on a class's rows by role, with `:user` and `:organization` standing for the caller's. */
export type Scope = { default: string } & Partial<Record<Role, string>>

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** What a tenant's caller sees of a class: the rows of its own organization. */
const tenant: Scope = { default: '"organizationId" = :organization' }

interface Statements {
  find: Statement
  show: Statement
  page: Statement
  count: Statement
  existing: Statement
  subset(column: string): { page: Statement; count: Statement }
}

/** Rows in Postgres, read by statements that are made once, from TypeORM's metadata; the scope is part of each. */
export class PostgresStore<E extends object> implements Store<E> {
  private readonly byRole: Map<Role, Statements>
  private readonly uuids: boolean
  private readonly columns: string
  private readonly table: string

  /** @param spoken the columns that what is shown is written from; all when what is shown is computed from others */
  constructor(
    private readonly metadata: EntityMetadata,
    scope: Scope = tenant,
    private readonly spoken?: Set<string>,
  ) {
    this.uuids = metadata.columns.find(({ propertyName }) => propertyName === 'id')?.type === 'uuid'
    this.table = `"${metadata.tableName}"`
    this.columns = this.select(({ isSelect }) => isSelect)
    const byCondition = new Map<string, Statements>()
    this.byRole = new Map(
      roles.map((role) => {
        const condition = scope[role] ?? scope.default
        const known = byCondition.get(condition) ?? this.compile(condition, `${metadata.tableName}:${byCondition.size}`)
        byCondition.set(condition, known)
        return [role, known]
      }),
    )
  }

  private select(wanted: (column: ColumnMetadata) => boolean): string {
    const columns = this.metadata.columns.filter(wanted)
    return columns.map(({ databaseName }) => `"${databaseName}"`).join(', ')
  }

  private compile(scope: string, name: string): Statements {
    const { columns, table, spoken } = this
    const spokenColumns = this.select(({ isSelect, propertyName }) => isSelect && (spoken?.has(propertyName) ?? true))
    const one = this.metadata.columns.some(({ propertyName }) => propertyName === 'id') ? ' AND "id" = :id' : ''
    const from = `FROM ${table} WHERE (${scope})`
    const subsets = new Map<string, { page: Statement; count: Statement }>()
    return {
      find: statement(`${name}:find`, `SELECT ${columns} ${from}${one}`),
      show: statement(`${name}:show`, `SELECT ${spokenColumns} ${from}${one}`),
      page: statement(`${name}:page`, `SELECT ${spokenColumns} ${from} ORDER BY "id" LIMIT :limit OFFSET :offset`),
      count: statement(`${name}:count`, `SELECT count(*) AS total ${from}`),
      existing: statement(`${name}:existing`, `SELECT "id" ${from} AND "id" = ANY(:ids)`),
      subset(column) {
        const known = subsets.get(column) ?? {
          page: statement(
            `${name}:${column}`,
            `SELECT ${spokenColumns} ${from} AND "${column}" = :value ORDER BY "id" DESC LIMIT :limit OFFSET :offset`,
          ),
          count: statement(`${name}:${column}:count`, `SELECT count(*) AS total ${from} AND "${column}" = :value`),
        }
        subsets.set(column, known)
        return known
      },
    }
  }

  async find(executor: Executor, caller: Caller, id: string | undefined, shown = false): Promise<E | undefined> {
    if (id !== undefined && !this.accepts(id)) return undefined
    const { organization, user } = caller
    const { find, show } = this.statements(caller)
    const { rows } = await (shown ? show : find)(executor, { organization, user, id })
    return rows.length > 0 ? this.hydrate(rows[0]) : undefined
  }

  async page(
    executor: Executor,
    caller: Caller,
    slice: Slice,
    where?: Subset,
  ): Promise<{ entities: E[]; total: number }> {
    const statements = this.statements(caller)
    const { page, count } = where ? statements.subset(where.column) : statements
    const values = { organization: caller.organization, user: caller.user, value: where?.value, ...slice }
    const { rows } = await page(executor, values)
    const isLast = rows.length < slice.limit && (rows.length > 0 || slice.offset === 0)
    const total = isLast ? slice.offset + rows.length : (await count(executor, values)).rows[0].total
    return { entities: rows.map((row) => this.hydrate(row)), total }
  }

  async existing(executor: Executor, caller: Caller, ids: string[]): Promise<string[]> {
    const { organization, user } = caller
    const { rows } = await this.statements(caller).existing(executor, { organization, user, ids })
    return rows.map(({ id }) => id)
  }

  accepts(id: string): boolean {
    return this.uuids ? uuid.test(id) : id.length <= 64 && unstorable(id) === undefined
  }

  private statements(caller: Caller): Statements {
    return this.byRole.get(caller.role) as Statements
  }

  /** A row becomes an entity by its prototype alone, so that its getters and verbs work. */
  private hydrate(row: object): E {
    return Object.setPrototypeOf(row, (this.metadata.target as Class<E>).prototype)
  }
}

/** Writes a new row: every value is made in the code, so nothing needs to be read back. */
export async function insert(manager: EntityManager, entity: object): Promise<void> {
  const metadata = manager.connection.getMetadata(entity.constructor)
  if (metadata.versionColumn) Object.assign(entity, { version: 1 })
  await manager
    .createQueryBuilder()
    .insert()
    .into(metadata.target)
    .values(columnValues(metadata, entity))
    .updateEntity(false)
    .execute()
}

/** Writes what differs between two states of a row, if nobody else has written it since; tells whether it could. */
export async function update<E extends object>(manager: EntityManager, before: E, after: E): Promise<boolean> {
  const metadata = manager.connection.getMetadata(before.constructor)
  const changes = changed(metadata, before, after)
  if (Object.keys(changes).length === 0) return true
  const updatedAt = new Date()
  const { affected } = await manager
    .createQueryBuilder()
    .update(metadata.target)
    .set({ ...changes, updatedAt })
    .where(identity(metadata, before))
    .execute()
  if (affected !== 1) return false
  Object.assign(after, { updatedAt, version: (before as { version: number }).version + 1 })
  return true
}

/** Deletes a row in the state that was read; tells whether it was still there so. */
export async function remove(manager: EntityManager, entity: object): Promise<boolean> {
  const metadata = manager.connection.getMetadata(entity.constructor)
  const { affected } = await manager
    .createQueryBuilder()
    .delete()
    .from(metadata.target)
    .where(identity(metadata, entity))
    .execute()
  return affected === 1
}

/** The properties stored in columns that differ between two states, with the values of the later one. */
export function changed(metadata: EntityMetadata, before: object, after: object): Record<string, unknown> {
  const [from, to] = [columnValues(metadata, before), columnValues(metadata, after)]
  return Object.fromEntries(
    Object.entries(to).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(from[name])),
  )
}

function columnValues(metadata: EntityMetadata, entity: object): Record<string, unknown> {
  const values = entity as Record<string, unknown>
  return Object.fromEntries(
    metadata.columns
      .filter(({ propertyName, isVersion }) => !isVersion && values[propertyName] !== undefined)
      .map(({ propertyName }) => [propertyName, values[propertyName]]),
  )
}

function identity(metadata: EntityMetadata, entity: object): Record<string, unknown> {
  const values = entity as Record<string, unknown>
  const names = [...metadata.primaryColumns, ...(metadata.versionColumn ? [metadata.versionColumn] : [])]
  return Object.fromEntries(names.map(({ propertyName }) => [propertyName, values[propertyName]]))
}
