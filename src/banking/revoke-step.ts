import type { Integration } from '../../entities/index.ts'
import { troubleOf } from './error-codes.ts'
import { leavePlace } from './import/import-slots.ts'
import { change, note } from './integration-row.ts'
import { BankProblem } from './kontomatik/bank-problem.ts'
import type { Tools } from './sync-job.ts'

const day = 24 * 60 * 60 * 1000

/** How long a consent lasts at most, in milliseconds. */
export const longestConsent = 180 * day

/** The longest pause between two tries, in milliseconds. */
const longestPause = day / 4

/** One try to end a consent; gives back how many milliseconds to wait for the next, nothing when there is none to end any more. */
export async function revokeOn(tools: Tools, link: Integration): Promise<number | undefined> {
  if (isOver(link)) return forget(tools, link)
  const { kontomatik, vault } = tools.banking
  try {
    if (!link.sealedAccess) return await findOut(tools, link)
    await kontomatik.deleteAccess(vault.open('access', link.sealedAccess, link))
    return await forget(tools, link)
  } catch (error) {
    if (!(error instanceof BankProblem)) throw error
    return again(tools, link, error)
  }
}

/** Whether what was to be ended has ended by itself. */
function isOver({ consentExpiresAt, createdAt }: Integration): boolean {
  return (consentExpiresAt?.getTime() ?? createdAt.getTime() + longestConsent) < Date.now()
}

/** Somebody may have signed in and never come back: then there is a consent that only Kontomatik knows of. */
async function findOut(tools: Tools, link: Integration): Promise<number | undefined> {
  const { manager, banking } = tools
  const unfinished = link.redirectionId && !link.consentExpiresAt && !link.sealedSession && !link.lastPulledAt
  if (!unfinished) return forget(tools, link)
  const signedIn = await banking.kontomatik.redirectionStatus(link.redirectionId as string).catch((problem) => {
    if (problem instanceof BankProblem && problem.kind === 'ours') return { state: 'failed' as const }
    throw problem
  })
  const left = (link.expiresAt?.getTime() ?? 0) - Date.now()
  if (signedIn.state === 'pending' && left > 0) {
    await change(manager, link, { failures: link.failures + 1 })
    return left + 1000
  }
  if (signedIn.state !== 'done' || !signedIn.multipleAccessId) return forget(tools, link)
  const sealedAccess = banking.vault.seal('access', signedIn.multipleAccessId, link)
  return (await change(manager, link, { sealedAccess })) ? 0 : undefined
}

/** Only now that nothing is left to end may the means to end it go. */
async function forget({ manager }: Tools, link: Integration): Promise<undefined> {
  await manager.transaction(async (within) => {
    const wiped = { sealedAccess: null, sealedSession: null, sessionAt: null, asked: null, lastErrorCode: null }
    if (!(await change(within, link, { status: 'revoked', failures: 0, nextPullAt: null, ...wiped }))) return
    await leavePlace(within, link.id)
    await note(within, link, 'revoke', { status: ['revoking', 'revoked'] })
  })
}

async function again({ manager, banking, log }: Tools, link: Integration, problem: BankProblem): Promise<number> {
  const { id: integration, failures } = link
  const level = problem.kind === 'misconfigured' ? 'error' : 'warn'
  log[level]({ exception: problem.name, integration, failures }, 'a consent could not be ended; it is tried again')
  await change(manager, link, { failures: failures + 1, lastErrorCode: troubleOf(problem) })
  return Math.min(banking.timing.revoke * 2 ** Math.min(failures, 20), longestPause) * (0.75 + Math.random() / 2)
}
