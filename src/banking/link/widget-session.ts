import { Integration } from '../../../entities/index.ts'
import { type Call, type Outcome, Unchanged } from '../../hydra/index.ts'
import type { Banking } from '../banking.ts'
import { activateIntegration, newIntegration } from './activation.ts'
import { choiceViolation } from './find-integration.ts'
import type { KontomatikSetup } from './kontomatik-setup.ts'
import { findLinked } from './replacement.ts'

/** Stores the session that the widget received. Kontomatik verifies it at the first import only. */
export async function acceptWidgetSession(
  call: Call<Integration>,
  banking: Banking,
  { sessionId, sessionIdSignature, accessMode = 'MULTIPLE', ...rest }: KontomatikSetup,
): Promise<Outcome<Integration>> {
  const { multipleAccessId = null, target = null, officialName = null } = rest
  if (!sessionIdSignature)
    throw choiceViolation('sessionIdSignature', 'sessionIdSignature must be given with a sessionId.')
  if (!multipleAccessId && accessMode === 'MULTIPLE')
    throw choiceViolation('multipleAccessId', 'multipleAccessId must be given, or another accessMode.')
  const session = { id: sessionId as string, signature: sessionIdSignature }
  const own = { id: call.request.claim, organizationId: call.tenant }
  const started = await call.manager.findOneBy(Integration, own)
  const known = started ?? (await findLinked(call, banking, { session, multipleAccessId }))
  if (known) return new Unchanged(await call.get(Integration, known.id))
  return call.unitOfWork.transaction(async () => {
    const integration = await call.unitOfWork.insert(newIntegration(call, { accessMode, expiresAt: null }))
    return activateIntegration(call, banking, integration, { session, multipleAccessId, target, officialName })
  })
}
