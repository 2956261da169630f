import type { Integration } from '../../../entities/index.ts'
import { asBankProblem } from '../kontomatik/bank-problem.ts'
import type { SignInReply } from '../kontomatik/sign-in-reply.ts'
import { untilSignInEndsMs } from './conditions.ts'
import type { JobContext } from './job-context.ts'
import type { StepResult } from './state.ts'

/** Ends the consent at Kontomatik. The request may be repeated: a consent that is gone counts as ended. */
export async function deleteConsent(
  { banking: { kontomatik, vault } }: JobContext,
  row: Integration,
): Promise<StepResult<'deleted' | 'deleteFailed'>> {
  const access = vault.open('access', row.sealedAccess as string, row)
  try {
    await kontomatik.deleteAccess(access)
    return { outcome: 'deleted' }
  } catch (error) {
    return { outcome: 'deleteFailed', problem: asBankProblem(error) }
  }
}

/** Asks whether an unfinished sign-in has led to a consent, which must be ended, too. */
export async function checkSignIn(
  { banking: { kontomatik, vault } }: JobContext,
  row: Integration,
): Promise<StepResult<'pending' | 'consentFound' | 'noConsent' | 'checkFailed'>> {
  let signIn: SignInReply
  try {
    signIn = await kontomatik.redirectionStatus(row.redirectionId as string)
  } catch (error) {
    const problem = asBankProblem(error)
    // Kontomatik does not know the sign-in.
    if (problem.kind === 'invalid-request') return { outcome: 'noConsent' }
    return { outcome: 'checkFailed', problem }
  }
  if (signIn.state === 'pending' && untilSignInEndsMs(row) > 0) return { outcome: 'pending' }
  if (signIn.state !== 'done' || !signIn.multipleAccessId) return { outcome: 'noConsent' }
  return { outcome: 'consentFound', set: { sealedAccess: vault.seal('access', signIn.multipleAccessId, row) } }
}
