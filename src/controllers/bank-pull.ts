import { Type } from 'class-transformer'
import { IsDateString, IsOptional, Length } from 'class-validator'
import { Integration } from '../../entities/index.ts'
import type { Banking } from '../banking/banking.ts'
import { problemOfErrorCode } from '../banking/error-codes.ts'
import { nextImportAt } from '../banking/import/import-quota.ts'
import { note, requireModule, selectIntegration, settled, unchosen } from '../banking/link/find-integration.ts'
import { enqueueSync } from '../banking/sync/sync-job.ts'
import { Accepted, type Call, copyEntity, type Operation, type Outcome, Problem } from '../hydra/index.ts'

/** The day to import from; seven days before the last import if it is left out. */
export class KontomatikPull {
  @IsOptional()
  @Type(() => Integration)
  integration?: Integration

  @IsOptional()
  @IsDateString({ strict: true })
  @Length(10, 10)
  since?: string
}

export const pull = (banking: Banking): Operation<Integration> => ({
  name: 'pull',
  method: 'POST',
  path: '/kontomatik/pull',
  title: () => 'Imports what is new at the linked bank',
  description:
    'The answer comes within 25 seconds. 202 means that the import still runs: send the same request again, which never starts ' +
    'a second import. "integration" may be left out where there is only one. An import starts from "since", else seven days ' +
    'before the last one, or from the oldest pending line if that is earlier; a consent that is used again shows at most the ' +
    'last 90 days. "importedSince" is the day that the import started from. "partial" is true if lines may be missing: the ' +
    'import started later than it should, the bank ran into a timeout, or "skipped" lines could not be read. 409 means that ' +
    'the consent has ended, 429 that the bank allows no more imports today. Needs the module "banking".',
  expects: KontomatikPull,
  returns: 'item',
  statuses: [201, 202, 400, 404, 409, 413, 415, 422, 429, 502, 503, 504],
  callsExternalService: true,
  link: { name: 'pull', when: ({ canImport }: Integration) => canImport },
  async handle(call) {
    const { integration, since } = await call.input(KontomatikPull)
    if (since && since > new Date().toISOString().slice(0, 10))
      throw unchosen('since', 'since must not lie in the future.')
    await requireModule(call)
    const link = await selectIntegration(call, integration)
    const mine = link.pullId === call.claim
    if (!mine && link.status !== 'importing') await begin(call, link, since ?? null)
    return outcome(await settled(call, banking, link.id, ({ status }) => status !== 'importing'))
  },
})

/** The row says that an import is under way, and a job sees to it; whoever is second to write the row joins in. */
async function begin(call: Call<Integration>, before: Integration, since: string | null): Promise<void> {
  if (before.status === 'pending') throw new Problem(409, 'Nobody has signed in at the bank yet.', {}, 'signin_pending')
  if (!before.canImport) throw problemOfErrorCode('consent_expired', 'integration')
  const until = before.commandId ? null : await nextImportAt(call.manager, before)
  if (until) throw problemOfErrorCode('limit_reached', 'integration', until)
  await call.transaction(async () => {
    const after = copyEntity(before).startImport(call.claim, since)
    await call.save(before, after)
    await note(call, 'pull', after, [before.status, after.status])
    await enqueueSync(call.manager, after.id)
  })
}

function outcome(link: Integration): Outcome<Integration> {
  const { status, lastErrorCode, nextPullAt } = link
  if (status === 'importing') return new Accepted(link, 5)
  if (status === 'revoking' || status === 'revoked') throw problemOfErrorCode('consent_expired', 'integration')
  if (lastErrorCode === null) return link
  throw problemOfErrorCode(lastErrorCode, lastErrorCode === 'since_refused' ? 'since' : 'integration', nextPullAt)
}
