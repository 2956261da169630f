import type { VerbOn } from '../../entities/audit-actions.ts'
import type { Subscription } from '../../entities/index.ts'
import { type Author, changesBetween, record } from '../audit/audit-log.ts'

/** Records what a request, or Stripe through a job (`follow`), changed in a subscription; `before` is absent for a new one. */
export async function recordSubscription(
  { manager, caller }: Pick<Author, 'manager' | 'caller'>,
  verb: VerbOn<'subscription'>,
  before: Subscription | undefined,
  after: Subscription,
): Promise<void> {
  const { id, organizationId: tenant, status, seats, externalId } = after
  const created = { status, seats, ...(verb === 'follow' && { externalId }) }
  const changes = before
    ? changesBetween(manager, before, after)
    : Object.fromEntries(
        Object.entries(created).map(([name, value]): [string, [unknown, unknown]] => [name, [null, value ?? null]]),
      )
  const action = `subscription.${verb}` as const
  await record({ by: { manager, tenant, caller }, action, target: `/subscriptions/${id}`, changes })
}
