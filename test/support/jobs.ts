import { pino } from 'pino'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { backgroundSource } from '../../ormconfig.ts'
import { concurrency, type Queue, startQueue } from '../../src/queue/queue.ts'
import { survivePoolErrors } from '../../src/runtime/database.ts'
import { type ExternalServices, jobTasks } from '../../src/runtime/jobs.ts'
import { WebhookSender } from '../../src/webhooks/sender.ts'
import { eventually } from './eventually.ts'
import { openWorld } from './world.ts'

const { database, served, ending, outside } = await openWorld()

const quiet = pino({ level: 'silent' })

/** The background jobs, for a test to run one by hand. */
export const jobs = jobTasks(served, outside, quiet) as Record<string, (payload?: object) => Promise<void>>

/** The queue does not wait, when it is stopped, until it is written down that its last jobs are done. */
const underWay = `SELECT "id" FROM graphile_worker.jobs WHERE "locked_at" IS NOT NULL AND "locked_by" IS NOT NULL`

/**
 * Runs jobs as a server process does, until the end of the test file at most. The test itself starts the jobs of the
 * timetable.
 */
export async function startJobs(others: Partial<ExternalServices> = {}, log = quiet): Promise<Queue> {
  const background = await backgroundSource(served, concurrency + 4).initialize()
  survivePoolErrors(background)
  const { master: pool } = background.driver as PostgresDriver
  const services = { ...outside, ...others }
  const sender = new WebhookSender(background, services.webhooks, log)
  const queue = await startQueue({
    pool,
    tasks: jobTasks(background, services, log, sender),
    crontab: '',
    pollIntervalMs: 50,
    log,
  })
  let stopped: Promise<void> | undefined
  const stop = async () => {
    await eventually(
      () => database.query(underWay),
      (found) => expect(found).toEqual([]),
      2,
    ).catch(() => {})
    await Promise.all([queue.stop(), sender.stop()])
    await background.destroy()
  }
  const end = () => {
    stopped ??= stop()
    return stopped
  }
  ending.unshift(end)
  return { stop: end }
}
