import type { Integration } from '../../../entities/index.ts'
import { type Call, copyEntity } from '../../hydra/index.ts'
import { recordIntegration } from '../integration-row.ts'
import { enqueueSync } from '../sync/sync-job.ts'

/** Writes the status `revoking`, which ends any import, and enqueues the job that ends the consent. */
export async function startRevocation(
  call: Pick<Call, 'manager' | 'caller' | 'unitOfWork'>,
  before: Integration,
): Promise<void> {
  await call.unitOfWork.transaction(async () => {
    if (before.status !== 'revoking') {
      const after = copyEntity(before).startRevocation()
      await call.unitOfWork.save(before, after)
      await recordIntegration(call, after, 'revoke', { status: [before.status, after.status] })
    }
    await enqueueSync(call.manager, before.id)
  })
}
