import type { DataSource } from 'typeorm'
import { LessThanOrEqual } from 'typeorm'
import { Subscription } from '../../entities/index.ts'
import { copyEntity } from '../hydra/index.ts'
import { recordSubscription } from './subscription-audit.ts'
import { Overtaken, write } from './sync/write.ts'

/** How many are ended at a time; the others are a minute later. */
const bite = 1000

/** Ends the subscriptions billed by hand whose last period is over by now; those at Stripe end there. */
export async function endDuePeriods(database: DataSource, now = new Date()): Promise<void> {
  const due = await database.manager.find(Subscription, {
    where: { cancelAt: LessThanOrEqual(now), status: 'active', organization: { manualBilling: true } },
    take: bite,
  })
  for (const before of due) {
    const after = copyEntity(before).end()
    await database
      .transaction(async (manager) => {
        await write(manager, before, after)
        await recordSubscription({ manager }, 'follow', before, after)
      })
      .catch((error) => {
        if (!(error instanceof Overtaken)) throw error
      })
  }
}
