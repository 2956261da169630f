import { In } from 'typeorm'
import { type Integration, Organization } from '../../../entities/index.ts'
import { errorCodeOf } from '../error-codes.ts'
import {
  asBankProblem,
  backOff,
  failImport,
  importAge,
  maxSessions,
  retryInNewSession,
  startErrorCode,
} from '../import/import-failures.ts'
import { countImport, nextImportAt, uncountImport } from '../import/import-quota.ts'
import { releaseSlot, takeSlot } from '../import/import-slots.ts'
import { importSince } from '../import/import-window.ts'
import { storeImport } from '../import/store-import.ts'
import { updateIntegration } from '../integration-row.ts'
import type { Session } from '../kontomatik/sign-in-reply.ts'
import type { JobContext } from './sync-job.ts'

/** Milliseconds for which a session that came of signing in is thought to be good. */
const fresh = 10 * 60_000

/** One step of an import; gives back how many milliseconds to wait for the next, nothing when the import has ended. */
export async function importStep(tools: JobContext, link: Integration): Promise<number | undefined> {
  const { manager, banking } = tools
  const { timing } = banking
  if (await manager.existsBy(Organization, { id: link.organizationId, status: In(['suspended', 'closed']) }))
    return failImport(tools, link, 'organization_frozen', { asked: null, commandId: null })
  const placed = await takeSlot(manager, link.id)
  if (link.commandId) return look(tools, link, link.commandId)
  if (importAge(link) > timing.stop) return failImport(tools, link, 'provider_timeout')
  if (!placed)
    return importAge(link) > timing.place
      ? failImport(tools, link, 'provider_busy')
      : Math.min(timing.poll, timing.busy)
  const stale = link.sessions === 0 && Date.now() - (link.sessionAt?.getTime() ?? 0) > fresh && link.sealedAccess
  return link.sealedSession && !stale ? begin(tools, link, link.sealedSession) : signInAgain(tools, link)
}

/** Asks for a session by the consent. What is marked before is all that is left if this process dies meanwhile. */
async function signInAgain(tools: JobContext, link: Integration): Promise<number | undefined> {
  const { manager, banking } = tools
  if (!link.sealedAccess) return failImport(tools, link, 'session_invalid', { status: 'error' })
  if (link.sessions === maxSessions) return failImport(tools, link, 'session_invalid', { asked: null })
  const nextPullAt = await nextImportAt(manager, link)
  if (nextPullAt) return failImport(tools, link, 'limit_reached', { nextPullAt })

  const sessions = link.sessions + 1
  const marked = await manager.transaction(async (within) => {
    await countImport(within, link, sessions)
    return updateIntegration(within, link, { asked: 'session', sessions })
  })
  if (!marked) return undefined
  try {
    const session = await banking.kontomatik.reuseAccess(banking.vault.open('access', link.sealedAccess, link))
    const sealedSession = banking.vault.seal('session', JSON.stringify(session), link)
    return (await updateIntegration(manager, link, { asked: null, sealedSession, sessionAt: new Date() }))
      ? 0
      : undefined
  } catch (error) {
    const problem = asBankProblem(error)
    if (!problem.uncertain) await uncountImport(manager, link, sessions)
    if (problem.kind === 'busy') return backOff(tools, link, { asked: null, sessions: link.sessions })
    return failImport(tools, link, errorCodeOf(problem), { asked: null }, problem)
  }
}

/**
 * Starts the import, once in a session. Taken up after a death it is asked for in the same session again: Kontomatik starts
 * none there if it has started one.
 */
async function begin(tools: JobContext, link: Integration, sealed: string): Promise<number | undefined> {
  const { manager, banking } = tools
  const session: Session = JSON.parse(banking.vault.open('session', sealed, link))
  const counts = link.sessions === 0 && link.asked !== 'import'
  const importedSince = await importSince(manager, link)
  const marked = await manager.transaction(async (within) => {
    if (counts) await countImport(within, link, 0)
    return updateIntegration(within, link, { asked: 'import', importedSince })
  })
  if (!marked) return undefined
  try {
    const { id } = await banking.kontomatik.startImport(session, importedSince)
    const begun = { asked: null, commandId: id, sealedSession: null, sessionAt: null }
    return (await updateIntegration(manager, link, begun)) ? banking.timing.poll : undefined
  } catch (error) {
    const problem = asBankProblem(error)
    if (problem.retry === 'new-session') return retryInNewSession(tools, link, problem)
    if (problem.kind === 'busy') {
      if (counts) await uncountImport(manager, link, 0)
      return backOff(tools, link, { asked: null })
    }
    const lost = problem.uncertain && link.sealedAccess ? { sealedSession: null, sessionAt: null } : {}
    return failImport(tools, link, startErrorCode(problem, link), { asked: null, ...lost }, problem)
  }
}

/** Looks how an import is doing. A look that fails does no harm, so it is taken again until the time is over. */
async function look(tools: JobContext, link: Integration, commandId: string): Promise<number | undefined> {
  const { poll, stop } = tools.banking.timing
  const later = () => (importAge(link) > stop ? failImport(tools, link, 'provider_timeout') : poll)
  try {
    const command = await tools.banking.kontomatik.command(commandId)
    if (command.state === 'running') return later()
    if (command.state === 'successful') {
      await storeImport(tools.manager, link, command)
      await releaseSlot(tools.manager, link.id)
      return undefined
    }
    if (command.problem.retry === 'new-session') return retryInNewSession(tools, link, command.problem)
    return failImport(tools, link, startErrorCode(command.problem, link), { commandId: null }, command.problem)
  } catch (error) {
    const problem = asBankProblem(error)
    if (problem.kind === 'outage' || problem.kind === 'busy') return later()
    if (problem.name === 'InvalidCommandId') return retryInNewSession(tools, link, problem)
    const commandKept = problem.kind === 'misconfigured' ? commandId : null
    return failImport(tools, link, errorCodeOf(problem), { commandId: commandKept }, problem)
  }
}
