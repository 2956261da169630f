import type { Integration } from '../../../entities/index.ts'
import { countImport, nextImportAt, uncountImport } from '../import/import-quota.ts'
import { importSince } from '../import/import-window.ts'
import { updateIntegration } from '../integration-row.ts'
import { asBankProblem } from '../kontomatik/bank-problem.ts'
import type { Session } from '../kontomatik/sign-in-reply.ts'
import type { JobContext } from './job-context.ts'
import type { StepResult } from './state.ts'

/** How many sessions a pull opens: one, and another where the first is lost with its command. */
export const maxSessions = 2

/**
 * Opens a session through the consent. The mark `asked: 'session'` and the count are written first: after a crash the request
 * counts as sent.
 */
export async function requestSession(
  { manager, banking }: JobContext,
  row: Integration,
): Promise<StepResult<'quotaReached' | 'opened' | 'busy' | 'requestFailed'> | undefined> {
  const nextPullAt = await nextImportAt(manager, row)
  if (nextPullAt) return { outcome: 'quotaReached', set: { nextPullAt } }
  const sessions = row.sessions + 1
  const isMarked = await manager.transaction(async (within) => {
    await countImport(within, row, sessions)
    return updateIntegration(within, row, { asked: 'session', sessions })
  })
  if (!isMarked) return undefined
  try {
    const access = banking.vault.open('access', row.sealedAccess as string, row)
    const session = await banking.kontomatik.reuseAccess(access)
    const sealedSession = banking.vault.seal('session', JSON.stringify(session), row)
    return { outcome: 'opened', set: { sealedSession, sessionAt: new Date() } }
  } catch (error) {
    const problem = asBankProblem(error)
    if (!problem.uncertain) await uncountImport(manager, row, sessions)
    if (problem.kind === 'busy') return { outcome: 'busy', problem, set: { sessions: row.sessions } }
    return { outcome: 'requestFailed', problem }
  }
}

/**
 * Starts the import, which Kontomatik runs as a command, once in a session. A process that finds the mark `asked: 'import'`
 * sends the request again in the same session: Kontomatik refuses a second import there.
 */
export async function startCommand(
  { manager, banking }: JobContext,
  row: Integration,
): Promise<StepResult<'started' | 'sessionLost' | 'busy' | 'uncertain' | 'startFailed'> | undefined> {
  const session: Session = JSON.parse(banking.vault.open('session', row.sealedSession as string, row))
  const isCountedHere = row.sessions === 0 && row.asked !== 'import'
  const importedSince = await importSince(manager, row)
  const isMarked = await manager.transaction(async (within) => {
    if (isCountedHere) await countImport(within, row, 0)
    return updateIntegration(within, row, { asked: 'import', importedSince })
  })
  if (!isMarked) return undefined
  try {
    const { id } = await banking.kontomatik.startImport(session, importedSince)
    return { outcome: 'started', set: { commandId: id } }
  } catch (error) {
    const problem = asBankProblem(error)
    if (problem.retry === 'new-session') return { outcome: 'sessionLost', problem }
    if (problem.kind === 'busy') {
      if (isCountedHere) await uncountImport(manager, row, 0)
      return { outcome: 'busy', problem }
    }
    return { outcome: problem.uncertain ? 'uncertain' : 'startFailed', problem }
  }
}

/** Asks for the state of the command, and for its result once it has one. */
export async function pollCommand(
  { banking }: JobContext,
  { commandId }: Integration,
): Promise<
  StepResult<'running' | 'unreachable' | 'imported' | 'sessionLost' | 'commandFailed' | 'misconfigured' | 'pollFailed'>
> {
  try {
    const command = await banking.kontomatik.command(commandId as string)
    if (command.state === 'running') return { outcome: 'running' }
    if (command.state === 'successful') return { outcome: 'imported', command }
    const { problem } = command
    return { outcome: problem.retry === 'new-session' ? 'sessionLost' : 'commandFailed', problem }
  } catch (error) {
    const problem = asBankProblem(error)
    if (problem.kind === 'outage' || problem.kind === 'busy') return { outcome: 'unreachable', problem }
    if (problem.name === 'InvalidCommandId') return { outcome: 'sessionLost', problem }
    return { outcome: problem.kind === 'misconfigured' ? 'misconfigured' : 'pollFailed', problem }
  }
}
