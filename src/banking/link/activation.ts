import { Integration } from '../../../entities/index.ts'
import { type Call, copyEntity, createEntity } from '../../hydra/index.ts'
import type { Banking } from '../banking.ts'
import type { SigningIn } from '../kontomatik/sign-in-reply.ts'
import { maxConsentMs } from '../sync/revoke-steps.ts'
import { note } from './find-integration.ts'
import { replaceLink } from './replacement.ts'

type SignedIn = Omit<Extract<SigningIn, { state: 'done' }>, 'state'>

/** Milliseconds that somebody may take to sign in. */
const signingIn = 60 * 60_000

/** A link that is begun by whoever asks. */
export function blankIntegration(call: Call, values: Partial<Integration>): Integration {
  const own = { id: call.claim, organizationId: call.organization, startedById: call.user }
  const expiresAt = new Date(Date.now() + signingIn)
  return Object.assign(createEntity(Integration), own, { expiresAt }, values)
}

/** What opens the bank is sealed before it is stored. */
export function activateIntegration(
  call: Call<Integration>,
  { vault }: Banking,
  before: Integration,
  { session, multipleAccessId, target, officialName }: SignedIn,
): Promise<Integration> {
  return call.transaction(async () => {
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
    await call.save(before, after)
    await note(call, 'setup', after, [before.redirectionId ? 'pending' : null, 'active'])
    await replaceLink(call, after)
    return call.get(Integration, after.id)
  })
}
