import { type EntityManager, In, Not } from 'typeorm'
import { Subscription } from '../../entities/index.ts'
import { endedStatuses } from '../../entities/subscription.ts'

/**
 * The live subscription of an organization, which has at most one. Under the organization's lock the result holds until the
 * transaction ends: a subscription begins, ends and changes its modules under that lock.
 */
export function findLiveSubscription(manager: EntityManager, organizationId: string): Promise<Subscription | null> {
  return manager.findOneBy(Subscription, { organizationId, status: Not(In(endedStatuses)) })
}
