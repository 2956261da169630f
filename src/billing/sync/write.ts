import type { EntityManager } from 'typeorm'
import { updateRow } from '../../hydra/index.ts'

/** A request has written the row since it was read here. */
export class Overtaken extends Error {}

/** Writes the difference between two states; what somebody else has written since is not overwritten. */
export async function write<E extends object>(manager: EntityManager, before: E, after: E): Promise<void> {
  if (!(await updateRow(manager, before, after))) throw new Overtaken('The row has changed meanwhile.')
}
