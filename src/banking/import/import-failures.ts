import type { Integration } from '../../../entities/index.ts'
import { type Trouble, troubleOf } from '../error-codes.ts'
import { change, note } from '../integration-row.ts'
import { BankProblem } from '../kontomatik/bank-problem.ts'
import type { Tools } from '../sync-job.ts'
import { leavePlace } from './import-slots.ts'

/** A pull asks for one session, and for another if that is lost with what was begun in it. */
export const mostSessions = 2

/** What cannot be imported from any more; after other troubles it is tried again when somebody asks. */
const afterwards: Partial<Record<Trouble, Integration['status']>> = {
  consent_expired: 'expired',
  bank_not_supported: 'error',
}

/** What the session was good for is lost with it: another one is asked for, where there is a consent to do so by. */
export async function anew(tools: Tools, link: Integration, problem: BankProblem): Promise<number | undefined> {
  const lost = { asked: null, commandId: null, sealedSession: null, sessionAt: null }
  if (!link.sealedAccess) return fail(tools, link, 'session_invalid', { ...lost, status: 'error' }, problem)
  if (link.sessions < mostSessions) return (await change(tools.manager, link, lost)) ? 0 : undefined
  return fail(tools, link, troubleOf(problem), lost, problem)
}

/** Kontomatik has no room: longer each time, and never the same for all. */
export async function wait(tools: Tools, link: Integration, values: Partial<Integration>): Promise<number | undefined> {
  const { busy, place } = tools.banking.timing
  const age = ageOf(link)
  if (age > place) return fail(tools, link, 'provider_busy', values)
  await leavePlace(tools.manager, link.id)
  if (!(await change(tools.manager, link, values))) return undefined
  return Math.max(busy, age / 2) * (1 + Math.random() / 2)
}

/** Ends an import that came to nothing; what it was of goes on, unless it cannot. */
export async function fail(
  { manager, log }: Tools,
  link: Integration,
  trouble: Trouble,
  values: Partial<Integration> = {},
  problem?: BankProblem,
): Promise<undefined> {
  const { id: integration } = link
  if (problem?.kind === 'misconfigured')
    log.error({ err: problem, integration }, 'Kontomatik refuses our key or address')
  else log.warn({ trouble, exception: problem?.name, integration }, 'an import from a bank came to nothing')
  const status = values.status ?? afterwards[trouble] ?? 'active'
  await manager.transaction(async (within) => {
    if (!(await change(within, link, { ...values, status, lastErrorCode: trouble }))) return
    await leavePlace(within, integration)
    if (status !== 'active') await note(within, link, 'pull', { status: ['importing', status] })
  })
}

/** A day that the client has asked for may be what is wrong. */
export function startTrouble(problem: BankProblem, { since }: Integration): Trouble {
  return problem.name === 'InvalidSince' && since ? 'since_refused' : troubleOf(problem)
}

export function ours(error: unknown): BankProblem {
  if (error instanceof BankProblem) return error
  throw error
}

/** How many milliseconds an import has taken so far. */
export function ageOf({ importingSince }: Integration): number {
  return Date.now() - (importingSince as Date).getTime()
}
