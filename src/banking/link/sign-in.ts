import { Integration } from '../../../entities/index.ts'
import { type Call, copyEntity, type Outcome, Problem, Unchanged } from '../../hydra/index.ts'
import type { Banking } from '../banking.ts'
import { errorCodeOf, problemOfErrorCode, violation } from '../error-codes.ts'
import { recordIntegration } from '../integration-row.ts'
import { BankProblem } from '../kontomatik/bank-problem.ts'
import type { AccessMode } from '../kontomatik/kontomatik-client.ts'
import { activateIntegration, newIntegration } from './activation.ts'
import type { KontomatikSetup } from './kontomatik-setup.ts'

/** Stores the row before the request to Kontomatik, so that a repeated request finds it. */
export async function startSignIn(
  call: Call<Integration>,
  { kontomatik }: Banking,
  { redirectUri, country, locale, accessMode }: KontomatikSetup & { redirectUri: string },
): Promise<Integration> {
  const started = await call.manager.findOneBy(Integration, { id: call.request.claim, organizationId: call.tenant })
  if (started?.redirectionId) return started
  const before =
    started ?? (await call.unitOfWork.insert(newIntegration(call, { accessMode: accessMode ?? 'MULTIPLE' })))
  const where = { country: country?.toLowerCase(), locale: locale?.toLowerCase() }
  const { ownerExternalId } = before
  const options = { redirectUri, ownerExternalId, accessMode: before.accessMode as AccessMode, ...withoutEmpty(where) }
  const { redirectionId, redirectionLink } = await kontomatik.startRedirection(options).catch(async (problem) => {
    await call.unitOfWork.remove(before)
    throw asProblem(problem, Object.keys(withoutEmpty(where))[0], 'redirectUri')
  })
  return call.unitOfWork.transaction(async () => {
    const after = Object.assign(copyEntity(before), { redirectionId, redirectUrl: redirectionLink })
    await call.unitOfWork.save(before, after)
    await recordIntegration(call, after, 'setup', { status: [null, 'pending'] })
    return after
  })
}

/** Only the user who started the sign-in may finish it. Finishing it twice changes nothing. */
export async function finishSignIn(
  call: Call<Integration>,
  banking: Banking,
  redirectionId: string,
): Promise<Outcome<Integration>> {
  const own = { organizationId: call.tenant, startedById: call.user }
  const integration = await call.manager.findOneBy(Integration, { redirectionId, ...own })
  if (!integration) throw new Problem(404, 'Not found: no such sign-in exists, or another user started it.')
  const isLinked =
    integration.consentExpiresAt !== null || !['pending', 'revoking', 'revoked'].includes(integration.status)
  if (isLinked) return new Unchanged(await call.get(Integration, integration.id))
  if (integration.status !== 'pending' || (integration.expiresAt?.getTime() ?? 0) < Date.now())
    throw new Problem(410, 'The time to sign in is over: start the sign-in again.', {}, 'signin_expired')
  const signIn = await banking.kontomatik.redirectionStatus(redirectionId).catch((problem) => {
    throw asProblem(problem, undefined, 'redirectionId')
  })
  if (signIn.state === 'pending')
    throw new Problem(409, 'The sign-in at the bank is not finished yet.', { 'Retry-After': '5' }, 'signin_pending')
  if (signIn.state === 'failed')
    throw violation('redirectionId', 'The sign-in at the bank failed: start again.', 'signin_failed')
  if (!signIn.multipleAccessId && integration.accessMode === 'MULTIPLE')
    throw new Problem(
      502,
      'The bank gave no consent for further imports, although the request asked for one.',
      {},
      'provider_error',
    )
  return activateIntegration(call, banking, integration, signIn)
}

/** Kontomatik may reject a value that came from the client: then the response names the property. */
function asProblem(problem: unknown, property: string | undefined, propertyPath: string): unknown {
  if (!(problem instanceof BankProblem)) return problem
  if (problem.kind === 'invalid-request' && property)
    return violation(property, `${property} must be one that Kontomatik knows.`, 'isKnown')
  if (problem.kind === 'session-gone' || problem.kind === 'access-gone')
    return violation(propertyPath, 'The sign-in at the bank is over: start again.', 'session_invalid')
  return Object.assign(problemOfErrorCode(errorCodeOf(problem), propertyPath), { cause: problem })
}

function withoutEmpty<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value)) as Partial<T>
}
