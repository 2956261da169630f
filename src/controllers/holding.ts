import type { EntityManager } from 'typeorm'
import { Organization } from '../../entities/index.ts'

/**
 * Holds an organization to the end of the transaction: of those who count its people, to add or to remove one, each sees what
 * the one before it has done. Nobody else waits for them.
 */
export function hold(manager: EntityManager, id: string): Promise<Organization> {
  return manager.findOneOrFail(Organization, { where: { id }, lock: { mode: 'for_no_key_update' } })
}
