import { ApiKey } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { type Call, copyEntity } from '../../hydra/index.ts'

type Revoker = Pick<Call, 'manager' | 'tenant' | 'caller' | 'unitOfWork'>

/** Revokes a key within a second. The row stays, because audit events name it. */
export async function revokeKey(call: Revoker, key: ApiKey): Promise<void> {
  await call.unitOfWork.save(key, copyEntity(key).revoke())
  await record({
    by: call,
    action: 'apiKey.revoke',
    target: `/api-keys/${key.id}`,
    changes: { status: [key.status, 'revoked'] },
  })
}

/** Revokes the keys of a person who may create keys no more: after a removal, a suspension, or a demotion to member. */
export async function revokeKeysOf(call: Revoker, createdById: string): Promise<void> {
  const found = await call.manager.findBy(ApiKey, { organizationId: call.tenant, createdById })
  for (const key of found.filter(({ status }) => status === 'active')) await revokeKey(call, key)
}
