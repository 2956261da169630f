import type { EntityManager } from 'typeorm'
import { Organization, OrganizationUser } from '../../entities/index.ts'
import { Problem, TenantScope } from '../hydra/index.ts'
import { lockUser } from '../postgres/locks.ts'

/** Enough for a person with several companies; each organization costs rows, jobs and a customer at Stripe. */
export const defaultMaxOwned = 10

/**
 * Counts under a lock on the user's row: simultaneous requests see each other's rows. Counting at the end of the transaction
 * keeps the lock short.
 * @throws Problem 409 when the user owns more organizations that are not closed
 */
export async function requireFewerOwned(
  manager: EntityManager,
  userId: string,
  maxOwned = defaultMaxOwned,
): Promise<void> {
  await lockUser(manager, userId)
  const owned = await TenantScope.every.run(manager, (everywhere) =>
    everywhere
      .createQueryBuilder(OrganizationUser, 'member')
      .innerJoin(Organization, 'organization', 'organization.id = member.organizationId')
      .where(`member.userId = :userId AND member.role = 'owner' AND organization.status <> 'closed'`, { userId })
      .getCount(),
  )
  if (owned <= maxOwned) return
  const remedy = 'leave one to another owner, or close one'
  throw new Problem(409, `You own ${owned - 1} organizations, and ${maxOwned} is the limit: ${remedy}.`)
}
