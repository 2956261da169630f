import { In } from 'typeorm'
import { type Integration, Organization } from '../../../entities/index.ts'
import { troubleOf } from '../error-codes.ts'
import { change } from '../integration-row.ts'
import type { Session } from '../kontomatik/sign-in-reply.ts'
import type { Tools } from '../sync-job.ts'
import { ageOf, anew, fail, mostSessions, ours, startTrouble, wait } from './import-failures.ts'
import { count, nextPullOf, uncount } from './import-quota.ts'
import { leavePlace, takePlace } from './import-slots.ts'
import { sinceOf } from './import-window.ts'
import { takeOver } from './store-import.ts'

/** Milliseconds for which a session that came of signing in is thought to be good. */
const fresh = 10 * 60_000

/** One step of an import; gives back how many milliseconds to wait for the next, nothing when the import has ended. */
export async function pullOn(tools: Tools, link: Integration): Promise<number | undefined> {
  const { manager, banking } = tools
  const { timing } = banking
  if (await manager.existsBy(Organization, { id: link.organizationId, status: In(['suspended', 'closed']) }))
    return fail(tools, link, 'organization_frozen', { asked: null, commandId: null })
  const placed = await takePlace(manager, link.id)
  if (link.commandId) return look(tools, link, link.commandId)
  if (ageOf(link) > timing.stop) return fail(tools, link, 'provider_timeout')
  if (!placed)
    return ageOf(link) > timing.place ? fail(tools, link, 'provider_busy') : Math.min(timing.poll, timing.busy)
  const stale = link.sessions === 0 && Date.now() - (link.sessionAt?.getTime() ?? 0) > fresh && link.sealedAccess
  return link.sealedSession && !stale ? begin(tools, link, link.sealedSession) : signInAgain(tools, link)
}

/** Asks for a session by the consent. What is marked before is all that is left if this process dies meanwhile. */
async function signInAgain(tools: Tools, link: Integration): Promise<number | undefined> {
  const { manager, banking } = tools
  if (!link.sealedAccess) return fail(tools, link, 'session_invalid', { status: 'error' })
  if (link.sessions === mostSessions) return fail(tools, link, 'session_invalid', { asked: null })
  const nextPullAt = await nextPullOf(manager, link)
  if (nextPullAt) return fail(tools, link, 'limit_reached', { nextPullAt })

  const sessions = link.sessions + 1
  const marked = await manager.transaction(async (within) => {
    await count(within, link, sessions)
    return change(within, link, { asked: 'session', sessions })
  })
  if (!marked) return undefined
  try {
    const session = await banking.kontomatik.reuseAccess(banking.vault.open('access', link.sealedAccess, link))
    const sealedSession = banking.vault.seal('session', JSON.stringify(session), link)
    return (await change(manager, link, { asked: null, sealedSession, sessionAt: new Date() })) ? 0 : undefined
  } catch (error) {
    const problem = ours(error)
    if (!problem.uncertain) await uncount(manager, link, sessions)
    if (problem.kind === 'busy') return wait(tools, link, { asked: null, sessions: link.sessions })
    return fail(tools, link, troubleOf(problem), { asked: null }, problem)
  }
}

/**
 * Starts the import, once in a session. Taken up after a death it is asked for in the same session again: Kontomatik starts
 * none there if it has started one.
 */
async function begin(tools: Tools, link: Integration, sealed: string): Promise<number | undefined> {
  const { manager, banking } = tools
  const session: Session = JSON.parse(banking.vault.open('session', sealed, link))
  const counts = link.sessions === 0 && link.asked !== 'import'
  const importedSince = await sinceOf(manager, link)
  const marked = await manager.transaction(async (within) => {
    if (counts) await count(within, link, 0)
    return change(within, link, { asked: 'import', importedSince })
  })
  if (!marked) return undefined
  try {
    const { id } = await banking.kontomatik.startImport(session, importedSince)
    const begun = { asked: null, commandId: id, sealedSession: null, sessionAt: null }
    return (await change(manager, link, begun)) ? banking.timing.poll : undefined
  } catch (error) {
    const problem = ours(error)
    if (problem.retry === 'new-session') return anew(tools, link, problem)
    if (problem.kind === 'busy') {
      if (counts) await uncount(manager, link, 0)
      return wait(tools, link, { asked: null })
    }
    const lost = problem.uncertain && link.sealedAccess ? { sealedSession: null, sessionAt: null } : {}
    return fail(tools, link, startTrouble(problem, link), { asked: null, ...lost }, problem)
  }
}

/** Looks how an import is doing. A look that fails does no harm, so it is taken again until the time is over. */
async function look(tools: Tools, link: Integration, commandId: string): Promise<number | undefined> {
  const { poll, stop } = tools.banking.timing
  const later = () => (ageOf(link) > stop ? fail(tools, link, 'provider_timeout') : poll)
  try {
    const command = await tools.banking.kontomatik.command(commandId)
    if (command.state === 'running') return later()
    if (command.state === 'successful') {
      await takeOver(tools.manager, link, command)
      await leavePlace(tools.manager, link.id)
      return undefined
    }
    if (command.problem.retry === 'new-session') return anew(tools, link, command.problem)
    return fail(tools, link, startTrouble(command.problem, link), { commandId: null }, command.problem)
  } catch (error) {
    const problem = ours(error)
    if (problem.kind === 'outage' || problem.kind === 'busy') return later()
    if (problem.name === 'InvalidCommandId') return anew(tools, link, problem)
    const commandKept = problem.kind === 'misconfigured' ? commandId : null
    return fail(tools, link, troubleOf(problem), { commandId: commandKept }, problem)
  }
}
