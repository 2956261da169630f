import { AuditEvent } from '../../entities/index.ts'
import type { Call } from '../hydra/http/request-call.ts'

/** Writes down who did what, in the transaction of the deed itself; nothing where nothing changed. */
export async function recordAudit(
  call: Call,
  action: string,
  target: string,
  { updatedAt: _, ...changes }: AuditEvent['changes'],
  organizationId = call.organization,
  actorId = call.caller.user,
): Promise<void> {
  if (Object.keys(changes).length === 0) return
  await call.insert(Object.assign(new AuditEvent(), { organizationId, actorId, action, target, changes }))
}

/** Records the same change of several things, with one statement. */
export async function recordAuditEach(
  { manager, organization: organizationId, caller: { user: actorId } }: Call,
  action: string,
  targets: string[],
  changes: AuditEvent['changes'],
): Promise<void> {
  if (targets.length === 0) return
  const events = targets.map((target) =>
    Object.assign(new AuditEvent(), { organizationId, actorId, action, target, changes, version: 1 }),
  )
  await manager
    .createQueryBuilder()
    .insert()
    .into(AuditEvent)
    .values(events as never)
    .updateEntity(false)
    .execute()
}

/** Goes along with any create, update or removal: the event is named after the class and what is done to it. */
export async function writeDown<E extends object>(call: Call<E>, after: E, before?: E): Promise<void> {
  const { resource } = call.bound
  const action = `${resource.name[0].toLowerCase()}${resource.name.slice(1)}.${call.operation.name}`
  const { organizationId } = after as { organizationId?: string }
  await recordAudit(call as Call, action, resource.iri(after), changesOf(call, after, before), organizationId)
}

/** What comes into being has been nothing before, and what goes is nothing after. */
function changesOf<E extends object>(call: Call<E>, after: E, before?: E): AuditEvent['changes'] {
  if (before) return call.changes(before, after)
  const removed = call.operation.method === 'DELETE'
  const written = call.bound.shape.fields.filter(({ writable }) => writable).map(({ name, key }) => key ?? name)
  const values = written.map((name) => [name, (after as Record<string, unknown>)[name] ?? null] as const)
  return Object.fromEntries(
    values
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, removed ? [value, null] : [null, value]]),
  )
}
