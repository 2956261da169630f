import type { DataSource } from 'typeorm'
import { LessThanOrEqual } from 'typeorm'
import { Subscription } from '../../entities/index.ts'
import { copyEntity, VersionConflict } from '../hydra/index.ts'
import { saveSubscription } from './save-subscription.ts'
import { recordSubscription } from './subscription-audit.ts'

/** The most subscriptions that one run ends. The job runs every minute. */
const batchSize = 1000

/** Ends the manually billed subscriptions whose last period is over. Stripe ends its own subscriptions itself. */
export async function endDuePeriods(database: DataSource, now = new Date()): Promise<void> {
  const due = await database.manager.find(Subscription, {
    where: { cancelAt: LessThanOrEqual(now), status: 'active', organization: { manualBilling: true } },
    take: batchSize,
  })
  for (const before of due) {
    const after = copyEntity(before).end()
    await database
      .transaction(async (manager) => {
        await saveSubscription(manager, before, after)
        await recordSubscription({ manager }, 'follow', before, after)
      })
      .catch((error) => {
        if (!(error instanceof VersionConflict)) throw error
      })
  }
}
