import { Type } from 'class-transformer'
import { IsOptional } from 'class-validator'
import { Integration } from '../../entities/index.ts'
import type { Banking } from '../banking/banking.ts'
import { note, selectIntegration, settled } from '../banking/link/find-integration.ts'
import { enqueueSync } from '../banking/sync/sync-job.ts'
import { Accepted, type Call, copyEntity, type Operation, Unchanged } from '../hydra/index.ts'

export class KontomatikRevoke {
  @IsOptional()
  @Type(() => Integration)
  integration?: Integration
}

export const revoke = (banking: Banking): Operation<Integration> => ({
  name: 'revoke',
  method: 'POST',
  path: '/kontomatik/revoke',
  title: () => 'Ends the consent to read from the linked bank',
  description:
    'An import that runs is stopped first; what has been imported stays. Where Kontomatik cannot be told at once, 202: it is ' +
    'told again until it has heard, or the consent has ended by itself. Also without the module "banking".',
  expects: KontomatikRevoke,
  returns: 'item',
  statuses: [200, 201, 202, 400, 404, 409, 413, 415, 422],
  callsExternalService: true,
  link: { name: 'revoke', when: ({ status }: Integration) => status !== 'revoked' },
  async handle(call) {
    const link = await selectIntegration(call, (await call.input(KontomatikRevoke)).integration)
    if (link.status === 'revoked') return new Unchanged(link)
    await begin(call, link)
    const { failures } = link.status === 'revoking' ? link : { failures: 0 }
    const told = (now: Integration) => now.status !== 'revoking' || now.failures > failures
    const ended = await settled(call, banking, link.id, told)
    return ended.status === 'revoked' ? ended : new Accepted(ended, 30)
  },
})

/** From here on nothing is imported, and the consent will be ended, whatever becomes of this process. */
async function begin(call: Call<Integration>, before: Integration): Promise<void> {
  await call.transaction(async () => {
    if (before.status !== 'revoking') {
      const after = copyEntity(before).startRevocation()
      await call.save(before, after)
      await note(call, 'revoke', after, [before.status, after.status])
    }
    await enqueueSync(call.manager, before.id)
  })
}
