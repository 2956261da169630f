import { pino } from 'pino'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { besides } from '../../ormconfig.ts'
import { survive } from '../../src/database.ts'
import { tasks } from '../../src/jobs.ts'
import { concurrency, startQueue } from '../../src/queue/queue.ts'
import { database, outside } from './index.ts'

/** Does the jobs of this test file in the background, as the server does; what the clock begins is left to the test. */
export async function doJobs(): Promise<{ stop(): Promise<void> }> {
  const background = await besides(database, concurrency + 4).initialize()
  survive(background)
  const log = pino({ level: 'silent' })
  const pool = (background.driver as PostgresDriver).master
  const queue = await startQueue({ pool, tasks: tasks(background, outside, log), crontab: '', log })
  return {
    async stop() {
      await queue.stop()
      await background.destroy()
    },
  }
}
