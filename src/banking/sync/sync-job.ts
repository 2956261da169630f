import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { DataSource, EntityManager } from 'typeorm'
import { withSessionLock } from '../../postgres/locks.ts'
import { enqueue } from '../../queue/enqueue.ts'
import type { Banking } from '../banking.ts'
import { readIntegration } from '../integration-row.ts'
import { importStep } from './import-steps.ts'
import { revokeStep } from './revoke-steps.ts'

/** What a step of a job has at hand. */
export interface JobContext {
  manager: EntityManager
  banking: Banking
  log: Logger
}

interface IntegrationPayload {
  integration: string
}

/** How many milliseconds a link is tended at a stretch, so that other jobs have their turn. */
const maxJobMs = 8000

/** Has a link tended as soon as what the manager does is committed, by whoever asks for it now. */
export function enqueueSync(manager: Pick<EntityManager, 'query'>, integration: string): Promise<void> {
  return enqueue(manager, 'tendBank', { integration }, { key: `bank:${integration}:now` })
}

/** Has a link tended, so many seconds from now, whoever else asks for it meanwhile. */
export function enqueueSyncLater(manager: Pick<EntityManager, 'query'>, integration: string, after = 0): Promise<void> {
  return enqueue(manager, 'tendBank', { integration }, { after, key: `bank:${integration}` })
}

/**
 * Brings what a link is in the middle of to its end, an import or a revocation, from wherever it stands: the row tells that,
 * not the job, which may die at any moment and is then rung again. One process at a time works on a link.
 */
export function syncIntegration(database: DataSource, banking: Banking, log: Logger) {
  return async ({ integration }: IntegrationPayload): Promise<void> => {
    const pause = await withSessionLock(database, `bank:${integration}`, 1000, (manager) =>
      runSteps({ manager, banking, log }, integration),
    )
    if (pause !== undefined) await enqueueSyncLater(database, integration, pause / 1000)
  }
}

/** Steps until nothing is left to do, or the turn is over; gives back after how many milliseconds to go on. */
async function runSteps(tools: JobContext, id: string): Promise<number | undefined> {
  const end = Date.now() + maxJobMs
  for (;;) {
    const link = await readIntegration(tools.manager, id)
    const pause = await (link?.status === 'importing'
      ? importStep(tools, link)
      : link?.status === 'revoking'
        ? revokeStep(tools, link)
        : undefined)
    if (pause === undefined || Date.now() + pause > end) return pause
    await sleep(pause)
  }
}
