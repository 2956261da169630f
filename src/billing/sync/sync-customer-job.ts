import type { Logger } from 'pino'
import { type DataSource, type EntityManager, In } from 'typeorm'
import { StripeEvent } from '../../../entities/index.ts'
import { tryLockCustomer } from '../../postgres/locks.ts'
import { type EnqueueOptions, enqueue } from '../../queue/enqueue.ts'
import type { Billing } from '../billing.ts'
import { isRace, isStripeFailure, PartialSync, PartialSyncError } from './partial-sync.ts'
import { syncCustomer } from './sync-customer.ts'

export interface SyncPayload {
  /** Stripe's id of the customer. */
  customer: string
  /** Fetches all invoices; the nightly reconciliation does. */
  thorough?: boolean
  /** The number of failures in a row. */
  failures?: number
}

/** An event that failed so many times is marked as failed; an operator can replay it. */
const maxAttempts = 10

/** After so many conflicts in a row, a conflict counts as a failure: a broken rule may look like one. */
const maxConflicts = 5

/** The delay of the next try when another transaction locks the customer. */
const lockRetrySeconds = 0.5

/** While Stripe fails, an event stays pending for three days. Stripe itself retries a delivery for three days. */
const maxOutageDays = 3

/** Enqueues a sync of a customer; it starts after the manager's transaction has committed. */
export function enqueueCustomerSync(
  manager: Pick<EntityManager, 'query'>,
  customer: string,
  options: Pick<EnqueueOptions, 'replace'> = {},
): Promise<void> {
  return enqueue(manager, 'followCustomer', { customer }, { ...options, key: `customer:${customer}` })
}

/** The job that syncs a customer. One sync processes all pending events of the customer, or none of them. */
export function syncCustomerJob(database: DataSource, billing: Billing, log: Logger) {
  return async ({ customer, thorough, failures = 0 }: SyncPayload): Promise<void> => {
    const key = thorough ? `reconcile:${customer}` : `customer:${customer}`
    const retry = (after: number, failed = failures) =>
      enqueue(database.manager, 'followCustomer', { customer, thorough, failures: failed }, { after, key })
    try {
      const sync = await database.transaction((manager) => syncEvents(manager, billing, { customer, thorough }))
      if (!sync) return retry(lockRetrySeconds)
      if (sync.missingData.length > 0)
        log.warn(
          { customer, missingData: sync.missingData },
          'synced a Stripe customer whose organization has missing data',
        )
      if (sync.failures.length > 0) throw new PartialSyncError(sync.failures)
    } catch (error) {
      if (failures < maxConflicts && (error instanceof PartialSyncError ? error.isRace : isRace(error)))
        return retry(lockRetrySeconds, failures + 1)
      log.error({ err: error, customer }, 'could not sync a Stripe customer')
      const pending = await countAttempt(database.manager, customer, error)
      if (pending || failures < maxAttempts) await retry(backoff(failures), failures + 1)
    }
  }
}

async function syncEvents(
  manager: EntityManager,
  billing: Billing,
  { customer, thorough }: SyncPayload,
): Promise<PartialSync | undefined> {
  if (!(await tryLockCustomer(manager, customer))) return undefined
  // Read before the fetch: the fetched state may not contain a later event, which has a sync of its own.
  const events = await manager.find(StripeEvent, {
    select: { id: true, type: true, objectId: true },
    where: { customerId: customer, status: 'pending' },
  })
  const invoices = events.flatMap(({ type, objectId }) => (type.startsWith('invoice.') && objectId ? [objectId] : []))
  const sync = await syncCustomer(manager, billing, customer, { invoices: [...new Set(invoices)], thorough })
  // The events stay pending until every object is stored.
  if (sync && sync.failures.length > 0) return sync
  const error = sync?.missingData.join('\n') || null
  const done = sync
    ? ({ status: 'done', processedAt: new Date(), error } as const)
    : ({ status: 'ignored', processedAt: new Date(), error, payload: {}, customerId: null, objectId: null } as const)
  if (events.length > 0)
    await manager.update(
      StripeEvent,
      { id: In(events.map(({ id }) => id)) },
      { ...done, attempts: () => '"attempts" + 1' },
    )
  return sync ?? new PartialSync()
}

/** The condition under which a failure does not count as an attempt: Stripe fails, and the event is recent. */
const isNotCounted = `($3 AND "receivedAt" > now() - make_interval(days => ${maxOutageDays}))`

/**
 * Records a failure on all pending events of a customer.
 * @returns whether an event is still pending
 */
async function countAttempt(manager: EntityManager, customer: string, error: unknown): Promise<boolean> {
  const stripeFailed = error instanceof PartialSyncError ? error.isStripeFailure : isStripeFailure(error)
  const [rows] = await manager.query(
    `UPDATE "stripe_event" SET "error" = $2,
        "attempts" = "attempts" + CASE WHEN ${isNotCounted} THEN 0 ELSE 1 END,
        "status" = CASE WHEN ${isNotCounted} OR "attempts" + 1 < ${maxAttempts} THEN 'pending' ELSE 'failed' END
      WHERE "customerId" = $1 AND "status" = 'pending' RETURNING "status"`,
    [customer, `${(error as Error).message}`.replaceAll('\0', '').slice(0, 1000), stripeFailed],
  )
  return rows.some(({ status }: StripeEvent) => status === 'pending')
}

/** Exponential backoff with jitter, in seconds; ten minutes at most. */
function backoff(failures: number): number {
  return Math.min(2 ** failures, 600) * (0.75 + Math.random() / 2)
}
