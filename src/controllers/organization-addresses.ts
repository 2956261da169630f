import type { OrganizationAddress } from '../../entities/index.ts'
import { creating, removing, updating } from '../hydra/crud.ts'
import { writeDown } from './audit.ts'

/** Who is billed, and where, is written down. */
const hooks = { along: writeDown<OrganizationAddress> }

export const create = creating(hooks)

export const update = updating(hooks)

export const remove = removing(hooks)
