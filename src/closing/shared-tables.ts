import type { EntityManager } from 'typeorm'
import { type Organization, User } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'

/** SQL: whether a job is about the organization or one of its rows. `$1` is its id, `$2` its customer at Stripe. */
const isItsJob = (payload: string) => `(${payload}->>'organization' = $1 OR ${payload}->>'organizationId' = $1
  OR ${payload}->>'customer' = $2
  OR ${payload}->>'mail' IN (SELECT "id"::text FROM "outgoing_mail" WHERE "organizationId" = $1::uuid)
  OR ${payload}->>'integration' IN (SELECT "id"::text FROM "integration" WHERE "organizationId" = $1::uuid))`

const withCustomer = [
  // A job that runs now finds no row, and ends by itself.
  `DELETE FROM graphile_worker._private_jobs WHERE "locked_at" IS NULL AND ${isItsJob('"payload"')}`,
  `DELETE FROM "job_crash" WHERE ${isItsJob('"payload"::jsonb')}`,
]

const alone = [
  `UPDATE "bank_slot" SET "integrationId" = NULL
    WHERE "integrationId" IN (SELECT "id" FROM "integration" WHERE "organizationId" = $1)`,
  `DELETE FROM "idempotency_key" WHERE "tenant" = $1`,
  `UPDATE "session" SET "organization" = NULL WHERE "organization" = $1`,
]

/** As an event about a stranger is stored: its id and type tell that it was received. */
const forgetEvents = `UPDATE "stripe_event" SET "status" = 'ignored', "payload" = '{}', "error" = NULL, "objectId" = NULL,
  "customerId" = NULL WHERE "customerId" = $1`

/**
 * Removes an organization from the tables whose rows belong to no tenant. Sessions and users stay, because they are of persons;
 * they name it no more.
 */
export async function forgetInSharedTables(
  manager: EntityManager,
  { id, stripeCustomerId }: Pick<Organization, 'id' | 'stripeCustomerId'>,
): Promise<void> {
  for (const statement of withCustomer) await manager.query(statement, [id, stripeCustomerId])
  for (const statement of alone) await manager.query(statement, [id])
  await manager.query(forgetEvents, [stripeCustomerId])
  await writeRows(
    manager,
    User,
    `UPDATE "user" SET "defaultOrganizationId" = NULL, "updatedAt" = now(), "version" = "version" + 1
      WHERE "defaultOrganizationId" = :id`,
    { id },
  )
}
