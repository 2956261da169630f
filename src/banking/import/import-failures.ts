import type { Integration } from '../../../entities/index.ts'
import { type ErrorCode, errorCodeOf } from '../error-codes.ts'
import { note, updateIntegration } from '../integration-row.ts'
import { BankProblem } from '../kontomatik/bank-problem.ts'
import type { JobContext } from '../sync/sync-job.ts'
import { releaseSlot } from './import-slots.ts'

/** A pull asks for one session, and for another if that is lost with what was begun in it. */
export const maxSessions = 2

/** What cannot be imported from any more; after other troubles it is tried again when somebody asks. */
const afterwards: Partial<Record<ErrorCode, Integration['status']>> = {
  consent_expired: 'expired',
  bank_not_supported: 'error',
}

/** What the session was good for is lost with it: another one is asked for, where there is a consent to do so by. */
export async function retryInNewSession(
  tools: JobContext,
  link: Integration,
  problem: BankProblem,
): Promise<number | undefined> {
  const lost = { asked: null, commandId: null, sealedSession: null, sessionAt: null }
  if (!link.sealedAccess) return failImport(tools, link, 'session_invalid', { ...lost, status: 'error' }, problem)
  if (link.sessions < maxSessions) return (await updateIntegration(tools.manager, link, lost)) ? 0 : undefined
  return failImport(tools, link, errorCodeOf(problem), lost, problem)
}

/** Kontomatik has no room: longer each time, and never the same for all. */
export async function backOff(
  tools: JobContext,
  link: Integration,
  values: Partial<Integration>,
): Promise<number | undefined> {
  const { busy, place } = tools.banking.timing
  const age = importAge(link)
  if (age > place) return failImport(tools, link, 'provider_busy', values)
  await releaseSlot(tools.manager, link.id)
  if (!(await updateIntegration(tools.manager, link, values))) return undefined
  return Math.max(busy, age / 2) * (1 + Math.random() / 2)
}

/** Ends an import that came to nothing; what it was of goes on, unless it cannot. */
export async function failImport(
  { manager, log }: JobContext,
  link: Integration,
  trouble: ErrorCode,
  values: Partial<Integration> = {},
  problem?: BankProblem,
): Promise<undefined> {
  const { id: integration } = link
  if (problem?.kind === 'misconfigured')
    log.error({ err: problem, integration }, 'Kontomatik refuses our key or address')
  else log.warn({ trouble, exception: problem?.name, integration }, 'an import from a bank came to nothing')
  const status = values.status ?? afterwards[trouble] ?? 'active'
  await manager.transaction(async (within) => {
    if (!(await updateIntegration(within, link, { ...values, status, lastErrorCode: trouble }))) return
    await releaseSlot(within, integration)
    if (status !== 'active') await note(within, link, 'pull', { status: ['importing', status] })
  })
}

/** A day that the client has asked for may be what is wrong. */
export function startErrorCode(problem: BankProblem, { since }: Integration): ErrorCode {
  return problem.name === 'InvalidSince' && since ? 'since_refused' : errorCodeOf(problem)
}

export function asBankProblem(error: unknown): BankProblem {
  if (error instanceof BankProblem) return error
  throw error
}

/** How many milliseconds an import has taken so far. */
export function importAge({ importingSince }: Integration): number {
  return Date.now() - (importingSince as Date).getTime()
}
