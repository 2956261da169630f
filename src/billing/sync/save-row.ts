import type { EntityManager } from 'typeorm'
import { type PlainEntity, updateRow, VersionConflict } from '../../hydra/index.ts'

/**
 * Writes the columns that differ between two states of a row.
 * @throws VersionConflict when another transaction has written the row since `before` was read
 */
export async function saveRow<E extends PlainEntity>(manager: EntityManager, before: E, after: E): Promise<void> {
  if (!(await updateRow(manager, before, after))) throw new VersionConflict(false)
}
