import type { EntityManager } from 'typeorm'
import { type EnqueueOptions, enqueue } from '../queue/enqueue.ts'

type Connection = Pick<EntityManager, 'query'>

/** Enqueues an update of the profile of a customer at Stripe. Several changes of one organization make one job. */
export function enqueueCustomerProfile(
  manager: Connection,
  organization: string,
  options: Pick<EnqueueOptions, 'after'> = {},
): Promise<void> {
  return enqueue(manager, 'tellCustomer', { organization }, { ...options, key: `tell:${organization}` })
}

/**
 * Tells Stripe of a change of an organization's name, addresses, language or owners. Call it in the transaction of the change.
 * An organization without a customer needs no job.
 */
export async function tellCustomer(manager: Connection, organization: string): Promise<void> {
  const found = await manager.query(
    'SELECT "id" FROM "organization" WHERE "id" = $1 AND "stripeCustomerId" IS NOT NULL',
    [organization],
  )
  for (const { id } of found) await enqueueCustomerProfile(manager, id)
}

/** Tells Stripe of a new email address of a user, for each organization that the user owns. */
export async function tellCustomersOf(manager: Connection, owner: string): Promise<void> {
  const found = await manager.query(
    `SELECT "id" FROM "organization" WHERE "stripeCustomerId" IS NOT NULL AND "id" IN
      (SELECT "organizationId" FROM "organization_user" WHERE "userId" = $1 AND "role" = 'owner') ORDER BY "id"`,
    [owner],
  )
  for (const { id } of found) await enqueueCustomerProfile(manager, id)
}
