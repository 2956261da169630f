import type { EntityManager } from 'typeorm'
import type { Integration } from '../../../entities/index.ts'
import { releaseSlot } from '../import/import-slots.ts'
import { storeImport } from '../import/store-import.ts'
import { recordIntegration, updateIntegration } from '../integration-row.ts'
import type { JobContext } from './job-context.ts'
import type { Transition } from './state.ts'

/**
 * Writes what a transition says, all of it or nothing where another request has changed the row meanwhile.
 * @returns after how many milliseconds the next step runs; undefined when the work has ended
 */
export async function applyTransition(
  context: JobContext,
  row: Integration,
  transition: Transition,
): Promise<number | undefined> {
  const { manager } = context
  const { set = {}, store, releasesSlot, audit, waitMs } = transition
  logFailure(context, row, transition)
  if (store) {
    await storeImport(manager, row, store, set)
    await releaseSlot(manager, row.id)
    return waitMs
  }
  if (Object.keys(set).length === 0) return waitMs
  const write = async (within: EntityManager) => {
    if (!(await updateIntegration(within, row, set))) return undefined
    if (releasesSlot) await releaseSlot(within, row.id)
    if (audit) await recordIntegration({ manager: within }, row, audit, { status: [row.status, set.status] })
    return waitMs
  }
  return releasesSlot || audit ? manager.transaction(write) : write(manager)
}

function logFailure({ log }: JobContext, { id: integration, failures }: Integration, { failure }: Transition): void {
  if (!failure) return
  const { message, code, problem } = failure
  if (problem?.kind === 'misconfigured')
    log.error(
      { err: problem, integration, failures },
      `Kontomatik refuses the API key or the address of this server: ${message}`,
    )
  else log.warn({ code, exception: problem?.name, integration, failures }, message)
}
