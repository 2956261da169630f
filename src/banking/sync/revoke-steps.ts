import type { Integration } from '../../../entities/index.ts'
import { errorCodeOf } from '../error-codes.ts'
import { releaseSlot } from '../import/import-slots.ts'
import { note, updateIntegration } from '../integration-row.ts'
import { BankProblem } from '../kontomatik/bank-problem.ts'
import type { JobContext } from './sync-job.ts'

const day = 24 * 60 * 60 * 1000

/** How long a consent lasts at most, in milliseconds. */
export const maxConsentMs = 180 * day

/** The longest pause between two tries, in milliseconds. */
const longestPause = day / 4

/** One try to end a consent; gives back how many milliseconds to wait for the next, nothing when there is none to end any more. */
export async function revokeStep(tools: JobContext, link: Integration): Promise<number | undefined> {
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
  return (consentExpiresAt?.getTime() ?? createdAt.getTime() + maxConsentMs) < Date.now()
}

/** Somebody may have signed in and never come back: then there is a consent that only Kontomatik knows of. */
async function findOut(tools: JobContext, link: Integration): Promise<number | undefined> {
  const { manager, banking } = tools
  const unfinished = link.redirectionId && !link.consentExpiresAt && !link.sealedSession && !link.lastPulledAt
  if (!unfinished) return forget(tools, link)
  const signedIn = await banking.kontomatik.redirectionStatus(link.redirectionId as string).catch((problem) => {
    if (problem instanceof BankProblem && problem.kind === 'ours') return { state: 'failed' as const }
    throw problem
  })
  const left = (link.expiresAt?.getTime() ?? 0) - Date.now()
  if (signedIn.state === 'pending' && left > 0) {
    await updateIntegration(manager, link, { failures: link.failures + 1 })
    return left + 1000
  }
  if (signedIn.state !== 'done' || !signedIn.multipleAccessId) return forget(tools, link)
  const sealedAccess = banking.vault.seal('access', signedIn.multipleAccessId, link)
  return (await updateIntegration(manager, link, { sealedAccess })) ? 0 : undefined
}

/** Only now that nothing is left to end may the means to end it go. */
async function forget({ manager }: JobContext, link: Integration): Promise<undefined> {
  await manager.transaction(async (within) => {
    const wiped = { sealedAccess: null, sealedSession: null, sessionAt: null, asked: null, lastErrorCode: null }
    if (!(await updateIntegration(within, link, { status: 'revoked', failures: 0, nextPullAt: null, ...wiped }))) return
    await releaseSlot(within, link.id)
    await note(within, link, 'revoke', { status: ['revoking', 'revoked'] })
  })
}

async function again({ manager, banking, log }: JobContext, link: Integration, problem: BankProblem): Promise<number> {
  const { id: integration, failures } = link
  const level = problem.kind === 'misconfigured' ? 'error' : 'warn'
  log[level]({ exception: problem.name, integration, failures }, 'a consent could not be ended; it is tried again')
  await updateIntegration(manager, link, { failures: failures + 1, lastErrorCode: errorCodeOf(problem) })
  return Math.min(banking.timing.revoke * 2 ** Math.min(failures, 20), longestPause) * (0.75 + Math.random() / 2)
}
