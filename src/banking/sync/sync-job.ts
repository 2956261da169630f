import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type DataSource, type EntityManager, In } from 'typeorm'
import { type Integration, Organization } from '../../../entities/index.ts'
import { withSessionLock } from '../../postgres/locks.ts'
import { enqueue } from '../../queue/enqueue.ts'
import type { Banking } from '../banking.ts'
import { takeSlot } from '../import/import-slots.ts'
import { readIntegration } from '../integration-row.ts'
import { applyTransition } from './apply-transition.ts'
import type { JobContext } from './job-context.ts'
import type { Situation, State } from './state.ts'
import { states } from './states.ts'

interface IntegrationPayload {
  integration: string
}

/** A job ends after this time and enqueues its rest, so that other jobs have their turn. */
const maxJobMs = 8000

/** The pause before the next attempt where another process works on the integration. */
const lockedMs = 1000

/** Enqueues the work on an integration for the moment in which the manager's transaction commits. */
export function enqueueSync(manager: Pick<EntityManager, 'query'>, integration: string): Promise<void> {
  return enqueue(manager, 'tendBank', { integration }, { key: `bank:${integration}:now` })
}

/** Enqueues the work on an integration for later. Its key differs, so that it does not delay what a request enqueues. */
export function enqueueSyncLater(
  manager: Pick<EntityManager, 'query'>,
  integration: string,
  afterSeconds = 0,
): Promise<void> {
  return enqueue(manager, 'tendBank', { integration }, { after: afterSeconds, key: `bank:${integration}` })
}

/**
 * Continues an import or a revocation from the state in which its row is. A job that dies is enqueued again, and loses nothing.
 * One process at a time works on an integration.
 */
export function syncIntegration(database: DataSource, banking: Banking, log: Logger) {
  return async ({ integration }: IntegrationPayload): Promise<void> => {
    const waitMs = await withSessionLock(database, `bank:${integration}`, lockedMs, (manager) =>
      runSteps({ manager, banking, log }, integration),
    )
    if (waitMs !== undefined) await enqueueSyncLater(database, integration, waitMs / 1000)
  }
}

/** @returns after how many milliseconds another job continues; undefined when the work has ended */
async function runSteps(context: JobContext, id: string): Promise<number | undefined> {
  const end = Date.now() + maxJobMs
  for (;;) {
    const row = await readIntegration(context.manager, id)
    const waitMs = row ? await runStep(context, row) : undefined
    if (waitMs === undefined || Date.now() + waitMs > end) return waitMs
    await sleep(waitMs)
  }
}

/** Finds the state of the row, runs its step and applies the transition of the step's outcome. */
async function runStep(context: JobContext, row: Integration): Promise<number | undefined> {
  if (row.status !== 'importing' && row.status !== 'revoking') return undefined
  const situation = await situationOf(context, row)
  const state = states[row.status].find(({ when }) => when(situation)) as State
  const result = state.step ? await state.step(context, row) : { outcome: 'none' }
  if (!result) return undefined
  const { set, ...transition } = state.next(result)(situation, result)
  return applyTransition(context, row, { ...transition, set: { ...set, ...result.set } })
}

async function situationOf({ manager, banking: { timing } }: JobContext, row: Integration): Promise<Situation> {
  const isImporting = row.status === 'importing'
  const readOnly = { id: row.organizationId, status: In(['suspended', 'closed']) }
  const isReadOnly = isImporting && (await manager.existsBy(Organization, readOnly))
  const hasSlot = isImporting && !isReadOnly && (await takeSlot(manager, row.id))
  return { row, timing, isReadOnly, hasSlot }
}
