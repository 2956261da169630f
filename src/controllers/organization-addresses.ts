import type { OrganizationAddress } from '../../entities/index.ts'
import { recordWrite } from '../audit/audit-log.ts'
import { createOperation, removeOperation, updateOperation } from '../hydra/index.ts'

/** All writes are audited: invoices go to these addresses. */
const hooks = { alsoWrite: recordWrite<OrganizationAddress> }

export const create = createOperation(hooks)

export const update = updateOperation(hooks)

export const remove = removeOperation(hooks)
