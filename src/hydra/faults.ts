import type { EntityMetadata } from 'typeorm'
import type { Api } from './api.ts'
import { ConstraintViolation, Problem } from './problem.ts'

interface DatabaseFault {
  code?: string
  constraint?: string
  table?: string
  message: string
}

const later = { 'Retry-After': '2' }

/** SQLSTATEs that a client can do nothing about but try again: lost connections, shutdowns, timeouts, deadlocks. */
const passing = /^(08...|40001|40P01|53...|55P03|57014|57P0[123])$/

/** Says in the API's words what Postgres refused; undefined when it was no fault of the database. */
export function problemOf(api: Api, error: unknown): Problem | undefined {
  const fault = ((error as { driverError?: unknown }).driverError ?? error) as DatabaseFault
  const code = fault?.code ?? ''
  const conflict = api.settings.conflicts?.[fault?.constraint ?? '']
  if (conflict) return new Problem(409, conflict)
  if (code === '23505')
    return new ConstraintViolation([
      { propertyPath: taken(api, fault), message: 'This value is already used.', code: 'isUnique' },
    ])
  if (code === '23503') return new Problem(409, 'It is still referred to, or refers to what is gone by now.')
  if (code === '23514') return new Problem(422, 'The values contradict each other.')
  if (code === '42501') return new Problem(404, 'Not found.')
  if (/^(22...|2201.|54000)$/.test(code)) return new Problem(422, 'A value is too large, or not of its type.')
  if (
    passing.test(code) ||
    /^(ECONN|EPIPE|ENOENT)/.test(code) ||
    /timeout exceeded when trying to connect|Connection terminated/.test(fault?.message ?? '')
  )
    return new Problem(503, 'The database cannot be reached at the moment. Try again shortly.', later)
  return undefined
}

/** Whether running the same transaction again may well succeed. */
export function isConflict(error: unknown): boolean {
  const { code } = ((error as { driverError?: unknown }).driverError ?? error) as DatabaseFault
  return code === '40001' || code === '40P01'
}

/** The property that a unique rule is about: what a hand-made `table:property` says, or its last column, as the first is the organization. */
function taken(api: Api, { constraint, table }: DatabaseFault): string {
  if (constraint?.includes(':')) return constraint.split(':')[1]
  const metadata = api.database.entityMetadatas.find(({ tableName }) => tableName === table)
  const column = metadata ? columnsOf(metadata, constraint).at(-1) : undefined
  return column?.replace(/Id$/, '') ?? 'id'
}

function columnsOf(metadata: EntityMetadata, constraint: string | undefined): string[] {
  const index = [...metadata.indices, ...metadata.uniques].find(({ name }) => name === constraint)
  return (index?.columns ?? metadata.primaryColumns).map(({ propertyName }) => propertyName)
}
