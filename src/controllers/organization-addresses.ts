import type { OrganizationAddress } from '../../entities/index.ts'
import { recordWrite } from '../audit/audit-log.ts'
import { creating, removing, updating } from '../hydra/http/crud.ts'

/** Who is billed, and where, is written down. */
const hooks = { along: recordWrite<OrganizationAddress> }

export const create = creating(hooks)

export const update = updating(hooks)

export const remove = removing(hooks)
