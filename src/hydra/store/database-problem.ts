import type { DataSource, EntityMetadata } from 'typeorm'
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js'
import type { IriConverter } from '../model/iri-converter.ts'
import { indefiniteArticle } from '../model/labels.ts'
import { ConstraintViolation, Problem } from '../model/problem.ts'
import type { Resource } from '../model/resource.ts'

export interface DatabaseFault {
  code?: string
  constraint?: string
  table?: string
  detail?: string
  message: string
}

/** The message for a violated constraint of the database: fixed, or made from the error of Postgres. */
export type ConflictMessage = string | ((fault: DatabaseFault, iris: IriConverter) => string)

/** The parts of the API that the translation of a database error reads. */
export interface ErrorContext {
  readonly options: { conflicts?: Record<string, ConflictMessage> }
  readonly resources: Resource[]
  readonly database: Pick<DataSource, 'entityMetadatas'>
  readonly iris: IriConverter
}

const later = { 'Retry-After': '2' }

/** A longer wait when the disk is full, because an operator must free space first. */
const patience = { 'Retry-After': '60' }

/** SQLSTATEs after which a client can only retry: lost connections, shutdowns, cancellations, deadlocks. */
const passing = /^(08...|40001|40P01|53...|57014|57P0.)$/

/** SQLSTATE of a full disk. Postgres has none for an exhausted quota or a file size limit, so their messages are matched. */
const full = /^53100$/
const exhausted = /No space left on device|[Qq]uota exceeded|File too large/

/** Node error codes for a host that cannot be found or reached. */
const unreachable = /^(ECONN\w+|EPIPE|ENOENT|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/

/** Messages of `pg` and TypeORM for connections that are lost, silent or unavailable. These errors have no code. */
const lost =
  /timeout exceeded when trying to connect|timeout expired|Query read timeout|Connection terminated|not queryable|runner (was )?already released|after calling end on the pool/

/** Translates an error of Postgres into a Problem; undefined for errors that are not from the database. */
export function problemOf(api: ErrorContext, error: unknown): Problem | undefined {
  const fault = withoutShards(
    ((error as { driverError?: unknown }).driverError ?? error) as Partial<DatabaseFault> | undefined,
  )
  const code = fault.code ?? ''
  const conflict = api.options.conflicts?.[fault.constraint ?? '']
  if (conflict) return new Problem(409, typeof conflict === 'string' ? conflict : conflict(fault, api.iris))
  if (code === '23505')
    return new ConstraintViolation([
      { propertyPath: taken(api, fault), message: 'This value is already used.', code: 'isUnique' },
    ])
  if (code === '23503') return new Problem(409, dangling(api, fault))
  if (code === '23514') return new Problem(422, 'The values contradict each other.')
  if (code === '42501') return new Problem(404, 'Not found.')
  if (/^(22...|2201.|54000)$/.test(code)) return new Problem(422, 'A value is too large, or not of its type.')
  if (full.test(code) || (/^(XX|58)/.test(code) && exhausted.test(fault.message)))
    return new Problem(503, 'The disk of the database is full, so nothing was stored. Try again later.', patience)
  if (code === '55P03')
    return new Problem(
      503,
      'This waited too long for rows or a table that another transaction holds. Try again shortly.',
      later,
    )
  if (isTimeout(error))
    return new Problem(503, 'The database took too long for this request and cancelled it. Try again later.', {
      'Retry-After': '5',
    })
  if (passing.test(code) || unreachable.test(code) || lost.test(fault.message))
    return new Problem(503, 'The database cannot be reached at the moment. Try again shortly.', later)
  return undefined
}

/** Citus names the shard of a table and of its constraints: `location:name_102034`. Its numbers begin at 102008. */
const shard = /_\d{6,}$/

function withoutShards(fault: Partial<DatabaseFault> = {}): DatabaseFault {
  const { code, message = '', detail, table, constraint } = fault
  return { code, message, detail, table: table?.replace(shard, ''), constraint: constraint?.replace(shard, '') }
}

/** Whether Postgres cancelled a statement at its timeout. A cancellation by an administrator has the same SQLSTATE. */
export function isTimeout(error: unknown): boolean {
  const { code, message } = ((error as { driverError?: unknown }).driverError ?? error) as DatabaseFault
  return code === '57014' && !message.includes('user request')
}

/** Whether the connection was lost while it ran a statement. An error that Postgres sent has an SQLSTATE instead. */
export function isLostConnection(error: unknown): boolean {
  const { code, message } = error as DatabaseFault
  return /^(ECONNRESET|EPIPE)$/.test(code ?? '') || (!code && /Connection terminated|not queryable/.test(message))
}

/** Whether a constraint refused the written row (SQLSTATE class 23). */
export function isIntegrityViolation(error: unknown): boolean {
  return (error as { code?: string } | undefined)?.code?.startsWith('23') ?? false
}

/** Whether a retry of the transaction may succeed: serialization failures and deadlocks. */
export function isConflict(error: unknown): boolean {
  const { code } = ((error as { driverError?: unknown }).driverError ?? error) as DatabaseFault
  return code === '40001' || code === '40P01'
}

/** The error names the table of the foreign key. Only its message says whether that row or the referenced row was written. */
function dangling(api: ErrorContext, { table, message }: DatabaseFault): string {
  const type = api.database.entityMetadatas.find(({ tableName }) => tableName === table)?.target
  const referring = api.resources.find(({ entity }) => entity === type)
  if (!referring || !message.startsWith('update or delete'))
    return 'It is still referred to, or refers to a deleted row.'
  return `${indefiniteArticle(referring.name) === 'a' ? 'A' : 'An'} ${referring.name} still refers to it.`
}

/** The property of a unique constraint: from a name of the form `table:property`, or else its last column. The first is the organization. */
function taken(api: ErrorContext, { constraint, table }: DatabaseFault): string {
  if (constraint?.includes(':')) return constraint.split(':')[1]
  const metadata = api.database.entityMetadatas.find(({ tableName }) => tableName === table)
  const column = metadata && columnsOf(metadata, constraint).at(-1)
  return column?.relationMetadata?.propertyName ?? column?.propertyName ?? 'id'
}

function columnsOf(metadata: EntityMetadata, constraint: string | undefined): ColumnMetadata[] {
  const index = [...metadata.indices, ...metadata.uniques].find(({ name }) => name === constraint)
  return index?.columns ?? metadata.primaryColumns
}
