import { IsString, MaxLength } from 'class-validator'
import { type AuditEvent, Organization } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { type Call, ConstraintViolation, type Operation, Problem, Unchanged } from '../../hydra/index.ts'
import { lockOrganization } from '../../postgres/locks.ts'

interface Wiped {
  /** As the audit log calls it. */
  name: string
  table: string
  /** Which rows stay, as a condition of SQL. */
  except?: string
  /** What must be undone in other tables before, in SQL; $1 is the organization. */
  first?: string[]
}

/** Everything that is wiped, in the order that references allow; whatever is not named here is kept. */
export const clearedTables: Wiped[] = [
  { name: 'meetings', table: 'meeting' },
  {
    name: 'locations',
    table: 'location',
    first: [
      'SELECT FROM "location" WHERE "organizationId" = $1 FOR UPDATE',
      `UPDATE "employee" SET "locationId" = NULL, "updatedAt" = now(), "version" = "version" + 1
        WHERE "organizationId" = $1 AND "locationId" IS NOT NULL`,
    ],
  },
  { name: 'languages', table: 'language', except: `"id" IN ('nl', 'en')` },
  { name: 'transactions', table: 'bank_transaction' },
  {
    name: 'accounts',
    table: 'bank_account',
    // The next import brings all again, as if there had been none.
    first: [
      `UPDATE "integration" SET "lastPulledAt" = NULL, "imported" = NULL, "duplicates" = NULL, "skipped" = NULL,
        "partial" = NULL, "importedSince" = NULL, "updatedAt" = now(), "version" = "version" + 1
        WHERE "organizationId" = $1 AND "lastPulledAt" IS NOT NULL`,
    ],
  },
]

/** The word that must be said before an organization is wiped. */
export class Clearance {
  /** The slug of the organization, typed again. */
  @IsString()
  @MaxLength(63)
  confirm: string
}

/** Wipes what an organization has put in, and leaves what it is. */
export const clear: Operation<Organization> = {
  name: 'clear',
  method: 'POST',
  path: '/clear',
  title: () => 'Wipes the meetings, locations, added languages and imported bank data of the organization',
  description:
    'Only for organizations that are a demo or not guarded as production; "confirm" is the slug. All of it or nothing goes, ' +
    'and meanwhile others read on. The people, their rights, what is paid, configured and written down stay.',
  expects: Clearance,
  returns: 'item',
  statuses: [200, 201, 400, 409, 413, 415, 422],
  link: { name: 'clear', when: ({ canBeCleared }: Organization) => canBeCleared },
  async handle(call) {
    const { confirm } = await call.input(Clearance)
    return call.transaction(async () => {
      await call.manager.query(`SET LOCAL lock_timeout = '${patience}s'`)
      // Two who clear at once do so one after the other, and nobody puts the guards up in between.
      await lockOrganization(call.manager, call.tenant)
      const organization = await call.get(Organization, call.tenant)
      if (!organization.canBeCleared)
        throw new Problem(409, 'An organization can be cleared only if it is a demo, or not "productionLike".')
      if (confirm !== organization.slug)
        throw new ConstraintViolation([
          { propertyPath: 'confirm', message: 'confirm must be the slug of the organization.', code: 'isSlug' },
        ])
      const changes: AuditEvent['changes'] = {}
      for (const each of clearedTables) changes[each.name] = [await wipe(call, each), 0]
      if (Object.values(changes).every(([rows]) => rows === 0)) return new Unchanged(organization)
      const target = `/organizations/${organization.id}`
      await record({ by: call, action: 'organization.clear', target, changes })
      return organization
    })
  },
}

/** How many seconds whoever clears waits for another who does. */
const patience = 7

/** So many rows go with one statement: few enough that none takes longer than a statement may. */
const bite = 20_000

/** Deletes bite by bite, within the one transaction, and counts. */
async function wipe({ manager, tenant }: Call, { table, except = 'false', first = [] }: Wiped): Promise<number> {
  for (const sql of first) await manager.query(sql, [tenant])
  for (let rows = 0; ; ) {
    const [, gone] = await manager.query(
      `DELETE FROM "${table}" WHERE "organizationId" = $1 AND "id" IN (
        SELECT "id" FROM "${table}" WHERE "organizationId" = $1 AND NOT (${except}) LIMIT ${bite})`,
      [tenant],
    )
    rows += gone
    if (gone < bite) return rows
  }
}
