import type { Integration } from '../../../entities/index.ts'
import { Accepted, type Call, copyEntity, type Outcome, Problem } from '../../hydra/index.ts'
import { problemOfErrorCode } from '../error-codes.ts'
import { recordIntegration } from '../integration-row.ts'
import { enqueueSync } from '../sync/sync-job.ts'
import { nextImportAt } from './import-quota.ts'

/** Writes the status `importing` and enqueues the job. Of two requests at once, the second loses the race and joins the import. */
export async function startPull(call: Call<Integration>, before: Integration, since: string | null): Promise<void> {
  if (before.status === 'pending')
    throw new Problem(409, 'The sign-in at the bank is not finished yet.', {}, 'signin_pending')
  if (!before.canImport) throw problemOfErrorCode('consent_expired', 'integration')
  // A command that a former pull left behind is continued, which is no new import.
  const allowedAt = before.commandId ? null : await nextImportAt(call.manager, before)
  if (allowedAt) throw problemOfErrorCode('limit_reached', 'integration', allowedAt)
  await call.unitOfWork.transaction(async () => {
    const after = copyEntity(before).startImport(call.request.claim, since)
    await call.unitOfWork.save(before, after)
    await recordIntegration(call, after, 'pull', { status: [before.status, after.status] })
    await enqueueSync(call.manager, after.id)
  })
}

/** The response to a pull: the integration, 202 while the import runs, or the problem that ended it. */
export function pullOutcome(integration: Integration): Outcome<Integration> {
  const { status, lastErrorCode, nextPullAt } = integration
  if (status === 'importing') return new Accepted(integration, 5)
  if (status === 'revoking' || status === 'revoked') throw problemOfErrorCode('consent_expired', 'integration')
  if (lastErrorCode === null) return integration
  throw problemOfErrorCode(lastErrorCode, lastErrorCode === 'since_refused' ? 'since' : 'integration', nextPullAt)
}
