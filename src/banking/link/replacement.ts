import { Not } from 'typeorm'
import { Integration } from '../../../entities/index.ts'
import { type Call, copyEntity } from '../../hydra/index.ts'
import type { Banking } from '../banking.ts'
import { readIntegration } from '../integration-row.ts'
import type { Session } from '../kontomatik/sign-in-reply.ts'
import { enqueueSync } from '../sync/sync-job.ts'
import { note } from './find-integration.ts'

/** The link that the same consent, or the same session, has made already: to end one for the other would end both. */
export async function isLinked(
  { manager, organization: organizationId }: Call,
  { vault }: Banking,
  { session, multipleAccessId }: { session: Session; multipleAccessId: string | null },
): Promise<Integration | undefined> {
  const found = await manager.find(Integration, { where: { organizationId, status: Not('revoked') } })
  for (const { id } of found) {
    const link = await readIntegration(manager, id)
    if (multipleAccessId && link?.sealedAccess && vault.open('access', link.sealedAccess, link) === multipleAccessId)
      return link
    if (link?.sealedSession && JSON.parse(vault.open('session', link.sealedSession, link)).id === session.id)
      return link
  }
  return undefined
}

/** Puts a link into the place of those to the same bank: their consents are ended. */
export async function replaceLink(call: Call, { id, organizationId, target }: Integration): Promise<void> {
  if (!target) return
  const former = await call.manager.findBy(Integration, { organizationId, target, id: Not(id) })
  for (const before of former) {
    if (['pending', 'revoking', 'revoked'].includes(before.status)) continue
    await call.save(before, copyEntity(before).startRevocation())
    await note(call, 'revoke', before, [before.status, 'revoking'])
    await enqueueSync(call.manager, before.id)
  }
}
