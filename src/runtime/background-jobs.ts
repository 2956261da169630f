import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { backgroundSource } from '../../ormconfig.ts'
import { enqueue } from '../queue/enqueue.ts'
import { concurrency, startQueue } from '../queue/queue.ts'
import { closeDatabase, survivePoolErrors } from './database.ts'
import { startFoldingTotals } from './fold-totals.ts'
import { crontab, type ExternalServices, enqueueStaleWork, jobTasks } from './jobs.ts'

/** Beyond one for each job: to listen, to fetch jobs and to mark them done. */
const spare = 4

/** Does what nobody waits for, over connections of its own; gives back how to stop that. */
export async function startBackgroundJobs(
  database: DataSource,
  outside: ExternalServices,
  log: Logger,
): Promise<() => Promise<void>> {
  const connections = await backgroundSource(database, concurrency + spare).initialize()
  survivePoolErrors(connections)
  const stopTotals = startFoldingTotals(connections, log)
  const letGo = async () => {
    stopTotals()
    await closeDatabase(connections)
  }
  const { master: pool } = connections.driver as PostgresDriver
  const back = () => enqueueStaleWork(connections, log, 0)
  // Whatever a process left undone that was killed is taken up at once; what is still held for the dead, by the clock.
  await back().catch((error) => log.warn({ err: error }, 'what waits could not be rung for'))
  try {
    // A key that was put before the others seals from now on.
    await enqueue(connections.manager, 'keepSecrets', {}, { key: 'keepSecrets' })
    const queue = await startQueue({ pool, tasks: jobTasks(connections, outside, log), crontab, log, back })
    return async () => {
      await queue.stop()
      await letGo()
    }
  } catch (error) {
    await letGo()
    throw error
  }
}
