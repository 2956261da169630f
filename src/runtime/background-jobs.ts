import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { backgroundSource } from '../../ormconfig.ts'
import { enqueue } from '../queue/enqueue.ts'
import { concurrency, startQueue, type Tasks } from '../queue/queue.ts'
import { WebhookSender } from '../webhooks/sender.ts'
import { changeNotifier } from './change-notifications.ts'
import { closeDatabase, survivePoolErrors } from './database.ts'
import { startFoldingTotals } from './fold-totals.ts'
import { crontab, type ExternalServices, enqueueStaleWork, jobTasks } from './jobs.ts'

/** Connections beyond one for each job: to listen, to fetch jobs and to mark them done. */
const extraConnections = 4

/**
 * Starts the job runner with its own connections to the database.
 * @returns a function that stops it
 */
export async function startBackgroundJobs(
  database: DataSource,
  services: ExternalServices,
  log: Logger,
): Promise<() => Promise<void>> {
  const connections = await backgroundSource(database, concurrency + extraConnections).initialize()
  survivePoolErrors(connections)
  const stopTotals = startFoldingTotals(connections, log)
  const close = async () => {
    stopTotals()
    await closeDatabase(connections)
  }
  const { master: pool } = connections.driver as PostgresDriver
  const sender = new WebhookSender(connections, services.webhooks, log)
  const enqueueAllStaleWork = () => enqueueStaleWork(connections, log, 0)
  // Work of a killed process is enqueued at once. The crontab enqueues work whose rows the dead process still locks.
  await enqueueAllStaleWork().catch((error) => log.warn({ err: error }, 'could not re-enqueue stale work'))
  try {
    // Secrets are encrypted again where SECRETS_KEY has a new first key.
    await enqueue(connections.manager, 'keepSecrets', {}, { key: 'keepSecrets' })
    const notify = changeNotifier(connections)
    const tasks = notifying(jobTasks(connections, services, log, sender), notify)
    const queue = await startQueue({ pool, tasks, crontab, log, onReconnect: enqueueAllStaleWork })
    return async () => {
      await Promise.all([queue.stop(), sender.stop()])
      await close()
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Notifies of changes after each job. */
function notifying(tasks: Tasks, notify: () => void): Tasks {
  return Object.fromEntries(
    Object.entries(tasks).map(([name, task]) => [name, (payload: never) => task(payload).finally(notify)]),
  )
}
