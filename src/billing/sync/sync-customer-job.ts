import type { Logger } from 'pino'
import { type DataSource, type EntityManager, In } from 'typeorm'
import { StripeEvent } from '../../../entities/index.ts'
import { Problem } from '../../hydra/index.ts'
import { tryLockCustomer } from '../../postgres/locks.ts'
import { type EnqueueOptions, enqueue } from '../../queue/enqueue.ts'
import type { Billing } from '../billing.ts'
import { isRace, PartialSync, PartialSyncError } from './partial-sync.ts'
import { syncCustomer } from './sync-customer.ts'

export interface SyncPayload {
  /** A customer by Stripe's id. */
  customer: string
  thorough?: boolean
  /** How often in a row this has failed. */
  failures?: number
}

/** After how many failures an event is put aside for somebody to look at. */
const patience = 10

/** How often in a row a race may be lost before it is taken for something else. */
const races = 5

/** Seconds until it is tried again when somebody else is at the customer. */
const soon = 0.5

/** How many days an event waits for a Stripe that cannot be had, which is how long Stripe itself would try to deliver one. */
const outage = 3

/** Has a customer looked at, as soon as what the manager does is committed. */
export function enqueueCustomerSync(
  manager: Pick<EntityManager, 'query'>,
  customer: string,
  order: Pick<EnqueueOptions, 'replace'> = {},
): Promise<void> {
  return enqueue(manager, 'followCustomer', { customer }, { ...order, key: `customer:${customer}` })
}

/** Follows what has happened to a customer: all events that wait are done with one look at Stripe, or none is. */
export function syncCustomerJob(database: DataSource, billing: Billing, log: Logger) {
  return async ({ customer, thorough, failures = 0 }: SyncPayload): Promise<void> => {
    const key = thorough ? `reconcile:${customer}` : `customer:${customer}`
    const again = (after: number, failed = failures) =>
      enqueue(database.manager, 'followCustomer', { customer, thorough, failures: failed }, { after, key })
    try {
      const pieces = await database.transaction((manager) => follow(manager, billing, { customer, thorough }))
      if (!pieces) return again(soon)
      if (pieces.missingData.length > 0)
        log.warn({ customer, lacks: pieces.missingData }, 'a customer of Stripe lacks something here')
      if (pieces.failures.length > 0) throw new PartialSyncError(pieces.failures)
    } catch (error) {
      if (failures < races && (error instanceof PartialSyncError ? error.isRace : isRace(error)))
        return again(soon, failures + 1)
      log.error({ err: error, customer }, 'what Stripe says of a customer could not be taken over')
      const waiting = await fail(database.manager, customer, error)
      if (waiting || failures < patience) await again(backoff(failures), failures + 1)
    }
  }
}

async function follow(
  manager: EntityManager,
  billing: Billing,
  { customer, thorough }: SyncPayload,
): Promise<PartialSync | undefined> {
  if (!(await tryLockCustomer(manager, customer))) return undefined
  // Read before the fetch: what arrives while it is under way may not be in it, and has a turn of its own.
  const events = await manager.find(StripeEvent, {
    select: { id: true, type: true, objectId: true },
    where: { customerId: customer, status: 'pending' },
  })
  const invoices = events.flatMap(({ type, objectId }) => (type.startsWith('invoice.') && objectId ? [objectId] : []))
  const pieces = await syncCustomer(manager, billing, customer, { invoices: [...new Set(invoices)], thorough })
  // The events wait for what could not be written down.
  if (pieces && pieces.failures.length > 0) return pieces
  const error = pieces?.missingData.join('\n') || null
  const done = pieces
    ? ({ status: 'done', processedAt: new Date(), error } as const)
    : ({ status: 'ignored', processedAt: new Date(), error, payload: {}, customerId: null, objectId: null } as const)
  if (events.length > 0)
    await manager.update(
      StripeEvent,
      { id: In(events.map(({ id }) => id)) },
      { ...done, attempts: () => '"attempts" + 1' },
    )
  return pieces ?? new PartialSync()
}

/** While Stripe cannot be had, an event is not to blame. */
const spared = `($3 AND "receivedAt" > now() - make_interval(days => ${outage}))`

/** Notes a failure on all events that wait; tells whether any still does. */
async function fail(manager: EntityManager, customer: string, error: unknown): Promise<boolean> {
  const away = error instanceof PartialSyncError ? error.isStripeFailure : error instanceof Problem
  const [rows] = await manager.query(
    `UPDATE "stripe_event" SET "error" = $2,
        "attempts" = "attempts" + CASE WHEN ${spared} THEN 0 ELSE 1 END,
        "status" = CASE WHEN ${spared} OR "attempts" + 1 < ${patience} THEN 'pending' ELSE 'failed' END
      WHERE "customerId" = $1 AND "status" = 'pending' RETURNING "status"`,
    [customer, `${(error as Error).message}`.replaceAll('\0', '').slice(0, 1000), away],
  )
  return rows.some(({ status }: StripeEvent) => status === 'pending')
}

/** Seconds until the next try: twice as many each time, ten minutes at most, and never the same for all. */
function backoff(failures: number): number {
  return Math.min(2 ** failures, 600) * (0.75 + Math.random() / 2)
}
