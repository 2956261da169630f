import { jobs } from '../jobs.ts'
import { database } from '../world.ts'
import { createEvent } from './stripe-events.ts'

interface Job {
  payload: { customer: string; thorough?: boolean; failures?: number }
  /** Whether somebody is at it. */
  locked: boolean
  /** Seconds until it is due. */
  in: number
}

/** What is to be done for a customer, if anything is. */
export async function jobOf(customer: string, kind = 'customer'): Promise<Job | undefined> {
  const [job] = await database.query(
    `SELECT payload, locked_at IS NOT NULL AS "locked", extract(epoch FROM run_at - now())::float AS "in"
      FROM graphile_worker._private_jobs WHERE "key" = $1`,
    [`${kind}:${customer}`],
  )
  return job
}

/** Does what is to be done for a customer, whether it is due or not; has it looked at in any case. */
export async function syncNow(customer: string, kind = 'customer'): Promise<void> {
  const { payload } = (await jobOf(customer, kind)) ?? {}
  await database.query(`SELECT graphile_worker.remove_job($1)`, [`${kind}:${customer}`])
  await jobs.followCustomer(payload ?? { customer })
}

/** An event of which only the customer matters. */
export function customerEvent(customer: string): ReturnType<typeof createEvent> {
  return createEvent('customer.updated', { id: customer, object: 'customer' })
}
