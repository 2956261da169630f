import { Not } from 'typeorm'
import { Integration } from '../../../entities/index.ts'
import { type Call, copyEntity } from '../../hydra/index.ts'
import type { Banking } from '../banking.ts'
import { readIntegration, recordIntegration } from '../integration-row.ts'
import type { Session } from '../kontomatik/sign-in-reply.ts'
import { enqueueSync } from '../sync/sync-job.ts'

/** The integration that already has this consent or this session. Replacing it would end the consent of both. */
export async function findLinked(
  { manager, tenant: organizationId }: Call,
  { vault }: Banking,
  { session, multipleAccessId }: { session: Session; multipleAccessId: string | null },
): Promise<Integration | undefined> {
  const found = await manager.find(Integration, { where: { organizationId, status: Not('revoked') } })
  for (const { id } of found) {
    const integration = await readIntegration(manager, id)
    if (
      multipleAccessId &&
      integration?.sealedAccess &&
      vault.open('access', integration.sealedAccess, integration) === multipleAccessId
    )
      return integration
    if (
      integration?.sealedSession &&
      JSON.parse(vault.open('session', integration.sealedSession, integration)).id === session.id
    )
      return integration
  }
  return undefined
}

/** Revokes the other integrations with the same bank: the new one replaces them. */
export async function revokeReplaced(call: Call, { id, organizationId, target }: Integration): Promise<void> {
  if (!target) return
  const former = await call.manager.findBy(Integration, { organizationId, target, id: Not(id) })
  for (const before of former) {
    if (['pending', 'revoking', 'revoked'].includes(before.status)) continue
    await call.unitOfWork.save(before, copyEntity(before).startRevocation())
    await recordIntegration(call, before, 'revoke', { status: [before.status, 'revoking'] })
    await enqueueSync(call.manager, before.id)
  }
}
