import type { OrganizationAddress } from '../../entities/index.ts'
import { recordWrite } from '../audit/audit-log.ts'
import { tellCustomer } from '../billing/enqueue-customer-profile.ts'
import { keepBilledTo } from '../billing/save-subscription.ts'
import { type Call, createOperation, removeOperation, updateOperation } from '../hydra/index.ts'

/** All writes are audited and sent to Stripe: invoices go to these addresses. */
async function alsoWrite(call: Call<OrganizationAddress>, after: OrganizationAddress, before?: OrganizationAddress) {
  await recordWrite(call, after, before)
  if (after.version !== before?.version) await tellCustomer(call.manager, after.organizationId)
}

const hooks = { alsoWrite }

export const create = createOperation(hooks)

export const update = updateOperation(hooks)

export const remove = removeOperation<OrganizationAddress>({
  async alsoWrite(call, address) {
    await keepBilledTo(call.manager, address)
    await alsoWrite(call, address)
  },
})
