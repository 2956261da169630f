import { updateRow, VersionConflict } from '../../hydra/index.ts'

/**
 * Writes the columns that differ between two states of a row.
 * @throws VersionConflict when another transaction has written the row since the former state was read
 */
export async function saveRow(...states: Parameters<typeof updateRow>): Promise<void> {
  if (!(await updateRow(...states))) throw new VersionConflict(false)
}
