import { IsString, MaxLength } from 'class-validator'
import type { EntityManager } from 'typeorm'
import { type AuditEvent, Organization } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { type Call, type Operation, Problem, Unchanged, writeRows } from '../../hydra/index.ts'
import { lockOrganization } from '../../postgres/locks.ts'
import { requireSlug } from '../../workspace/confirmation.ts'

interface ClearedTable {
  /** The name in the audit event. */
  name: string
  table: string
  /** A SQL condition: the rows that stay. */
  keep?: string
  /** SQL that locks rows before the delete; `$1` is the organization. */
  lock?: string
  /** Updates rows of another table before the delete, mostly to clear foreign keys. */
  before?(manager: EntityManager, tenant: string): Promise<unknown>
}

/** The cleared tables in the order that foreign keys allow. Every other table is kept. */
export const clearedTables: ClearedTable[] = [
  { name: 'meetings', table: 'meeting' },
  {
    name: 'locations',
    table: 'location',
    lock: 'SELECT FROM "location" WHERE "organizationId" = $1 FOR UPDATE',
    before: (manager, tenant) =>
      writeRows(
        manager,
        'employee',
        `UPDATE "employee" SET "locationId" = NULL, "updatedAt" = now(), "version" = "version" + 1
          WHERE "organizationId" = :tenant AND "locationId" IS NOT NULL`,
        { tenant },
      ),
  },
  { name: 'languages', table: 'language', keep: `"id" IN ('nl', 'en')` },
  { name: 'transactions', table: 'bank_transaction' },
  {
    name: 'accounts',
    table: 'bank_account',
    // Without these values, the next import loads the whole period again.
    before: (manager, tenant) =>
      writeRows(
        manager,
        'integration',
        `UPDATE "integration" SET "lastPulledAt" = NULL, "imported" = NULL, "duplicates" = NULL, "skipped" = NULL,
          "partial" = NULL, "importedSince" = NULL, "updatedAt" = now(), "version" = "version" + 1
          WHERE "organizationId" = :tenant AND "lastPulledAt" IS NOT NULL`,
        { tenant },
      ),
  },
]

/** The body of the operation: the confirmation. */
export class Clearance {
  /** The slug of the organization. */
  @IsString()
  @MaxLength(63)
  confirm: string
}

export const clear: Operation<Organization> = {
  name: 'clear',
  method: 'POST',
  path: '/clear',
  title: () => "Clear an organization's data",
  consequence: 'destroys',
  description:
    'Deletes the meetings, locations, added languages and imported bank data in one transaction; reads are not blocked. ' +
    'Users, roles, invitations, billing, settings, images, the mail footer, the consent of the bank and the audit log ' +
    'stay. Only an organization that is a demo, or not "productionLike", can be cleared. "confirm" is its slug.',
  expects: Clearance,
  returns: 'item',
  statuses: [200, 201, 400, 409, 413, 415, 422],
  link: { name: 'clear', when: ({ canBeCleared }: Organization) => canBeCleared },
  async handle(call) {
    const { confirm } = await call.input(Clearance)
    return call.unitOfWork.transaction(async () => {
      await call.manager.query(`SET LOCAL lock_timeout = '${lockTimeoutSeconds}s'`)
      // The lock serializes simultaneous clears, and keeps the operator from setting productionLike in between.
      await lockOrganization(call.manager, call.tenant)
      const organization = await call.get(Organization, call.tenant)
      if (!organization.canBeCleared)
        throw new Problem(409, 'An organization can be cleared only if it is a demo, or not "productionLike".')
      requireSlug(confirm, organization)
      const changes: AuditEvent['changes'] = {}
      for (const table of clearedTables) changes[table.name] = [await deleteRows(call, table), 0]
      if (Object.values(changes).every(([rows]) => rows === 0)) return new Unchanged(organization)
      const target = `/organizations/${organization.id}`
      await record({ by: call, action: 'organization.clear', target, changes })
      return organization
    })
  },
}

/** How long a clear waits for another one of the same organization. */
const lockTimeoutSeconds = 7

/** Rows a statement: few enough to stay below the statement timeout. */
const batchSize = 20_000

/** Deletes in batches within the one transaction, and returns the number of deleted rows. */
async function deleteRows(
  { manager, tenant }: Call,
  { table, keep = 'false', lock, before }: ClearedTable,
): Promise<number> {
  if (lock) await manager.query(lock, [tenant])
  await before?.(manager, tenant)
  for (let rows = 0; ; ) {
    const deleted = await writeRows(
      manager,
      table,
      `DELETE FROM "${table}" WHERE "organizationId" = :tenant AND "id" IN (
        SELECT "id" FROM "${table}" WHERE "organizationId" = :tenant AND NOT (${keep}) LIMIT ${batchSize})`,
      { tenant },
    )
    rows += deleted
    if (deleted < batchSize) return rows
  }
}
