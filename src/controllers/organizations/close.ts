import { IsString, MaxLength } from 'class-validator'
import { Integration, Organization } from '../../../entities/index.ts'
import type { Callers } from '../../access/callers.ts'
import { requireFewerOwned } from '../../access/owned-organizations.ts'
import { changesBetween, record } from '../../audit/audit-log.ts'
import { startRevocation } from '../../banking/link/start-revocation.ts'
import { findLiveSubscription } from '../../billing/live-subscription.ts'
import { saveSubscription } from '../../billing/save-subscription.ts'
import { recordSubscription } from '../../billing/subscription-audit.ts'
import { enqueueEndOfBilling } from '../../closing/end-billing.ts'
import { defaultGraceDays } from '../../closing/grace-period.ts'
import { type Call, copyEntity, type Operation, Problem, Unchanged } from '../../hydra/index.ts'
import { enqueueClosingMails } from '../../mail/closing-mail.ts'
import { lockOrganization } from '../../postgres/locks.ts'
import { disableAllEndpoints, enableAllEndpoints } from '../../webhooks/closing.ts'
import { requireSlug } from '../../workspace/confirmation.ts'
import { enqueueProvisioning } from '../../workspace/provision.ts'

/** The body of the operation: the confirmation. */
export class Closure {
  /** The slug of the organization. */
  @IsString()
  @MaxLength(63)
  confirm: string
}

const dayMs = 24 * 60 * 60 * 1000

/** @param graceDays the days until the deletion */
export const close = (callers: Callers, graceDays = defaultGraceDays): Operation<Organization> => ({
  name: 'close',
  method: 'POST',
  path: '/close',
  title: () => 'Close an organization',
  consequence: 'destroys',
  description:
    'All data of the organization is deleted after a grace period, at "deleteAt". Until then owners can reopen it, everyone can ' +
    'read it, and owners can export it. Nothing else can be changed, except to pay, to leave, and to revoke access. The ' +
    'subscription is cancelled at once, and pending differences are charged. The consents of banks end. API keys and webhook endpoints ' +
    'stop. Owners get a mail. "confirm" is the slug. Repeating it is harmless. 403 refuses a suspended organization, and 409 one ' +
    'that the operator has closed.',
  expects: Closure,
  returns: 'item',
  statuses: [200, 201, 400, 409, 413, 415, 422],
  link: { name: 'close', when: ({ canBeClosed }: Organization) => canBeClosed },
  async handle(call) {
    const { confirm } = await call.input(Closure)
    return call.unitOfWork.transaction(async () => {
      const before = await lockAndRead(call)
      requireSlug(confirm, before)
      if (before.canBeReopened) return new Unchanged(before)
      if (!before.canBeClosed) throw notClosable(before)
      const after = copyEntity(before).close(new Date(Date.now() + graceDays * dayMs))
      await endPaidWork(call, after)
      await disableAllEndpoints(call)
      await save(call, 'close', before, after)
      await enqueueClosingMails(call.manager, after)
      call.unitOfWork.after(() => callers.forget())
      return after
    })
  },
})

/** @param maxOwned how many organizations one user may own; closed ones do not count */
export const reopen = (callers: Callers, maxOwned?: number): Operation<Organization> => ({
  name: 'reopen',
  method: 'POST',
  path: '/reopen',
  title: () => 'Reopen a closed organization',
  description:
    'Ends the grace period: nothing is deleted, and API keys and webhook endpoints work again. Banks must be ' +
    'linked again, and a subscription must be created. 409 refuses an organization ' +
    'that the operator has closed.',
  returns: 'item',
  statuses: [200, 201, 409],
  link: { name: 'reopen', when: ({ canBeReopened }: Organization) => canBeReopened },
  handle: (call) =>
    call.unitOfWork.transaction(async () => {
      const before = await lockAndRead(call)
      if (before.canBeClosed) return new Unchanged(before)
      if (!before.canBeReopened) throw new Problem(409, 'Only the operator can reopen this organization: ask it.')
      const after = copyEntity(before).reopen()
      await save(call, 'reopen', before, after)
      await enableAllEndpoints(call)
      await requireFewerOwned(call.manager, call.user, maxOwned)
      if (after.status === 'provisioning') await enqueueProvisioning(call.manager, after.id)
      call.unitOfWork.after(() => callers.forget())
      return after
    }),
})

/** Under the lock, the deletion has either begun or finds the organization reopened. */
async function lockAndRead(call: Call<Organization>): Promise<Organization> {
  await lockOrganization(call.manager, call.tenant)
  return call.get(Organization, call.tenant)
}

function notClosable({ status }: Organization): Problem {
  if (status === 'suspended')
    return new Problem(403, 'Your organization is suspended, so it cannot be closed. Ask the operator of this service.')
  return new Problem(409, 'The operator has closed the organization already: ask it to delete the data.')
}

/** Ends what costs money or reads other systems. Stripe is asked by a job, and the bank as well. */
async function endPaidWork(call: Call<Organization>, { id, manualBilling }: Organization): Promise<void> {
  const { manager } = call
  const live = await findLiveSubscription(manager, id)
  if (live && manualBilling) {
    const ended = copyEntity(live).cancel(true)
    await saveSubscription(manager, live, ended)
    await recordSubscription(call, 'cancel', live, ended)
  }
  if (!manualBilling) await enqueueEndOfBilling(manager, id)
  const links = await manager.findBy(Integration, { organizationId: id })
  for (const link of links) if (link.status !== 'revoked') await startRevocation(call, link)
}

async function save(
  call: Call<Organization>,
  verb: 'close' | 'reopen',
  before: Organization,
  after: Organization,
): Promise<void> {
  await call.unitOfWork.save(before, after)
  const changes = changesBetween(call.manager, before, after)
  await record({ by: call, action: `organization.${verb}`, target: `/organizations/${after.id}`, changes })
}
