import { Integration } from '../../../entities/index.ts'
import type { KontomatikSetup } from '../../controllers/integrations.ts'
import { type Call, type Outcome, Unchanged } from '../../hydra/index.ts'
import type { Banking } from '../banking.ts'
import { activateIntegration, blankIntegration } from './activation.ts'
import { unchosen } from './find-integration.ts'
import { isLinked } from './replacement.ts'

/** What the widget was given cannot be checked before it is used. */
export async function acceptWidgetSession(
  call: Call<Integration>,
  banking: Banking,
  { sessionId, sessionIdSignature, accessMode = 'MULTIPLE', ...wish }: KontomatikSetup,
): Promise<Outcome<Integration>> {
  const { multipleAccessId = null, target = null, officialName = null } = wish
  if (!sessionIdSignature) throw unchosen('sessionIdSignature', 'sessionIdSignature must be given with a sessionId.')
  if (!multipleAccessId && accessMode === 'MULTIPLE')
    throw unchosen('multipleAccessId', 'multipleAccessId must be given, or another accessMode.')
  const session = { id: sessionId as string, signature: sessionIdSignature }
  const own = { id: call.claim, organizationId: call.organization }
  const begun = await call.manager.findOneBy(Integration, own)
  const known = begun ?? (await isLinked(call, banking, { session, multipleAccessId }))
  if (known) return new Unchanged(await call.get(Integration, known.id))
  return call.transaction(async () => {
    const link = await call.insert(blankIntegration(call, { accessMode, expiresAt: null }))
    return activateIntegration(call, banking, link, { session, multipleAccessId, target, officialName })
  })
}
