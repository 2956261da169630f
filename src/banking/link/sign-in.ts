import { Integration } from '../../../entities/index.ts'
import { type Call, copyEntity, type Outcome, Problem, Unchanged } from '../../hydra/index.ts'
import type { Banking } from '../banking.ts'
import { errorCodeOf, problemOfErrorCode, violation } from '../error-codes.ts'
import { recordIntegration } from '../integration-row.ts'
import { BankProblem } from '../kontomatik/bank-problem.ts'
import type { AccessMode } from '../kontomatik/kontomatik-client.ts'
import { activateIntegration, newIntegration } from './activation.ts'
import type { KontomatikSetup } from './kontomatik-setup.ts'

/** The row is there before Kontomatik is asked, so that whoever repeats the request finds it. */
export async function startSignIn(
  call: Call<Integration>,
  { kontomatik }: Banking,
  { redirectUri, country, locale, accessMode }: KontomatikSetup & { redirectUri: string },
): Promise<Integration> {
  const begun = await call.manager.findOneBy(Integration, { id: call.claim, organizationId: call.tenant })
  if (begun?.redirectionId) return begun
  const before = begun ?? (await call.insert(newIntegration(call, { accessMode: accessMode ?? 'MULTIPLE' })))
  const where = { country: country?.toLowerCase(), locale: locale?.toLowerCase() }
  const { ownerExternalId } = before
  const wish = { redirectUri, ownerExternalId, accessMode: before.accessMode as AccessMode, ...given(where) }
  const { redirectionId, redirectionLink } = await kontomatik.startRedirection(wish).catch(async (problem) => {
    await call.remove(before)
    throw told(problem, Object.keys(given(where))[0], 'redirectUri')
  })
  return call.transaction(async () => {
    const after = Object.assign(copyEntity(before), { redirectionId, redirectUrl: redirectionLink })
    await call.save(before, after)
    await recordIntegration(call, after, 'setup', { status: [null, 'pending'] })
    return after
  })
}

/** Only whoever has begun may finish, and to finish twice changes nothing. */
export async function finishSignIn(
  call: Call<Integration>,
  banking: Banking,
  redirectionId: string,
): Promise<Outcome<Integration>> {
  const own = { organizationId: call.tenant, startedById: call.user }
  const link = await call.manager.findOneBy(Integration, { redirectionId, ...own })
  if (!link) throw new Problem(404, 'Not found: there is no such sign-in, or somebody else has begun it.')
  const linked = link.consentExpiresAt !== null || !['pending', 'revoking', 'revoked'].includes(link.status)
  if (linked) return new Unchanged(await call.get(Integration, link.id))
  if (link.status !== 'pending' || (link.expiresAt?.getTime() ?? 0) < Date.now())
    throw new Problem(410, 'The time to sign in is over: start the sign-in again.', {}, 'signin_expired')
  const signedIn = await banking.kontomatik.redirectionStatus(redirectionId).catch((problem) => {
    throw told(problem, undefined, 'redirectionId')
  })
  if (signedIn.state === 'pending')
    throw new Problem(409, 'Nobody has signed in yet.', { 'Retry-After': '5' }, 'signin_pending')
  if (signedIn.state === 'failed')
    throw violation('redirectionId', 'The sign-in at the bank failed: start again.', 'signin_failed')
  if (!signedIn.multipleAccessId && link.accessMode === 'MULTIPLE')
    throw new Problem(502, 'The bank gave no consent to read again, though it was asked to.', {}, 'provider_error')
  return activateIntegration(call, banking, link, signedIn)
}

/** What Kontomatik finds wrong with a request of ours may be what the client wished for. */
function told(problem: unknown, wish: string | undefined, propertyPath: string): unknown {
  if (!(problem instanceof BankProblem)) return problem
  if (problem.kind === 'ours' && wish) return violation(wish, `${wish} must be one that Kontomatik knows.`, 'isKnown')
  if (problem.kind === 'session-gone' || problem.kind === 'access-gone')
    return violation(propertyPath, 'The sign-in at the bank is over: start again.', 'session_invalid')
  return Object.assign(problemOfErrorCode(errorCodeOf(problem), propertyPath), { cause: problem })
}

function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value)) as Partial<T>
}
