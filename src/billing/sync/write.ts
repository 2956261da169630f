import type { EntityManager } from 'typeorm'
import { AuditEvent, type Subscription } from '../../../entities/index.ts'
import { changedColumns, insertRow, updateRow } from '../../hydra/store/write-row.ts'

/** A request has written the row since it was read here. */
export class Overtaken extends Error {}

/** Writes the difference between two states; what somebody else has written since is not overwritten. */
export async function write<E extends object>(manager: EntityManager, before: E, after: E): Promise<void> {
  if (!(await updateRow(manager, before, after))) throw new Overtaken('The row has changed meanwhile.')
}

/** Writes down what became of a subscription by itself, with nobody of ours having done it. */
export async function note(
  manager: EntityManager,
  before: Subscription | undefined,
  after: Subscription,
): Promise<void> {
  const metadata = manager.connection.getMetadata(after.constructor)
  const names = before ? Object.keys(changedColumns(metadata, before, after)) : ['status', 'seats', 'externalId']
  const told = names.filter((name) => !['updatedAt', 'version'].includes(name)) as (keyof Subscription)[]
  if (told.length === 0) return
  const { organizationId, id } = after
  const changes: AuditEvent['changes'] = Object.fromEntries(
    told.map((name) => [name, [before?.[name] ?? null, after[name] ?? null]]),
  )
  await tell(manager, organizationId, 'subscription.follow', `/subscriptions/${id}`, changes)
}

/** Writes into the audit log what was done by nobody here. */
export async function tell(
  manager: EntityManager,
  organizationId: string,
  action: string,
  target: string,
  changes: AuditEvent['changes'],
): Promise<void> {
  await insertRow(manager, Object.assign(new AuditEvent(), { organizationId, action, target, changes }))
}
