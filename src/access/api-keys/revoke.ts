import { ApiKey } from '../../../entities/index.ts'
import { record, type Writer } from '../../audit/audit-log.ts'
import { copyEntity } from '../../hydra/index.ts'

/** Revokes a key within a second. The row stays, because audit events name it. */
export async function revokeKey(by: Writer, key: ApiKey): Promise<void> {
  await by.unitOfWork.save(key, copyEntity(key).revoke())
  await record({
    by,
    action: 'apiKey.revoke',
    target: `/api-keys/${key.id}`,
    changes: { status: [key.status, 'revoked'] },
  })
}

/** Revokes the keys of a person who may create keys no more: after a removal, a suspension, or a demotion to member. */
export async function revokeKeysOf(by: Writer, createdById: string): Promise<void> {
  const found = await by.manager.findBy(ApiKey, { organizationId: by.tenant, createdById })
  for (const key of found.filter(({ status }) => status === 'active')) await revokeKey(by, key)
}
