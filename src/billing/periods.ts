import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { LessThanOrEqual } from 'typeorm'
import { Subscription } from '../../entities/index.ts'

const minute = 60_000

/** Ends, every minute, the subscriptions billed by hand whose last period is over; gives back how to stop that. */
export function endPeriods(database: DataSource, log: Logger): () => void {
  const timer = setInterval(() => {
    endDue(database).catch((error) => log.error({ err: error }, 'subscriptions could not be ended'))
  }, minute)
  return () => clearInterval(timer)
}

/** Ends what is due by now; one statement, so that several processes may do it at once. */
export async function endDue(database: DataSource, now = new Date()): Promise<void> {
  await database.manager.update(
    Subscription,
    { cancelAt: LessThanOrEqual(now), status: 'active' },
    { status: 'canceled', updatedAt: now },
  )
}
