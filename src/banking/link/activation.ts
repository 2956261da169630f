import { Integration } from '../../../entities/index.ts'
import { type Call, copyEntity, createEntity } from '../../hydra/index.ts'
import { type Banking, maxConsentMs } from '../banking.ts'
import { recordIntegration } from '../integration-row.ts'
import type { SignInReply } from '../kontomatik/sign-in-reply.ts'
import { revokeReplaced } from './replacement.ts'

type SignedIn = Omit<Extract<SignInReply, { state: 'done' }>, 'state'>

/** A sign-in at the bank may take one hour. */
const maxSignInMs = 60 * 60_000

/** A new integration, not stored yet. Only the user who starts it may finish it. */
export function newIntegration(call: Call, values: Partial<Integration>): Integration {
  const own = { id: call.request.claim, organizationId: call.tenant, startedById: call.user }
  const expiresAt = new Date(Date.now() + maxSignInMs)
  return Object.assign(createEntity(Integration), own, { expiresAt }, values)
}

/** Stores the session and the consent, encrypted, and ends the consents that this one replaces. */
export function activateIntegration(
  call: Call<Integration>,
  { vault }: Banking,
  before: Integration,
  { session, multipleAccessId, target, officialName }: SignedIn,
): Promise<Integration> {
  return call.unitOfWork.transaction(async () => {
    const after = Object.assign(copyEntity(before), {
      status: 'active',
      target,
      officialName,
      redirectUrl: null,
      sealedAccess: multipleAccessId && vault.seal('access', multipleAccessId, before),
      sealedSession: vault.seal('session', JSON.stringify(session), before),
      sessionAt: new Date(),
      consentExpiresAt: multipleAccessId ? new Date(Date.now() + maxConsentMs) : null,
    })
    await call.unitOfWork.save(before, after)
    await recordIntegration(call, after, 'setup', { status: [before.redirectionId ? 'pending' : null, 'active'] })
    await revokeReplaced(call, after)
    return call.get(Integration, after.id)
  })
}
