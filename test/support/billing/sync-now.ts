import { jobs } from '../jobs.ts'
import { openWorld } from '../world.ts'
import { createEvent } from './stripe-events.ts'

const { database } = await openWorld()

interface Job {
  payload: { customer: string; thorough?: boolean; failures?: number }
  /** Whether a worker is running it. */
  locked: boolean
  /** The seconds until it runs. */
  in: number
}

/** The enqueued job of a customer. */
export async function jobOf(customer: string, kind = 'customer'): Promise<Job | undefined> {
  const [job] = await database.query(
    `SELECT payload, locked_at IS NOT NULL AS "locked", extract(epoch FROM run_at - now())::float AS "in"
      FROM graphile_worker._private_jobs WHERE "key" = $1`,
    [`${kind}:${customer}`],
  )
  return job
}

/** Runs the sync job of a customer now, with the payload of the enqueued job if there is one. */
export async function syncNow(customer: string, kind = 'customer'): Promise<void> {
  const { payload } = (await jobOf(customer, kind)) ?? {}
  await database.query(`SELECT graphile_worker.remove_job($1)`, [`${kind}:${customer}`])
  await jobs.followCustomer(payload ?? { customer })
}

/** An event about a customer, whose payload does not matter. */
export function customerEvent(customer: string): ReturnType<typeof createEvent> {
  return createEvent('customer.updated', { id: customer, object: 'customer' })
}
