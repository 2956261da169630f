import type { Executor } from '../model/store.ts'
import { deleteOldChanges } from '../store/recorded-changes.ts'
import { deleteExpiredKeys } from './idempotency/idempotency-store.ts'

/** Deletes rows of the engine's own tables whose time is over: idempotency keys of a day, changes of an hour. */
export async function deleteExpired(executor: Executor): Promise<void> {
  await deleteExpiredKeys(executor)
  await deleteOldChanges(executor)
}
