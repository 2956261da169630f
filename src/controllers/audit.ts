import { AuditEvent } from '../../entities/index.ts'
import type { Call } from '../hydra/call.ts'

/** Writes down who did what, in the transaction of the deed itself; nothing where nothing changed. */
export async function record(
  call: Call,
  action: string,
  target: string,
  { updatedAt: _, ...changes }: AuditEvent['changes'],
  organizationId = call.organization,
): Promise<void> {
  if (Object.keys(changes).length === 0) return
  await call.insert(Object.assign(new AuditEvent(), { organizationId, actorId: call.user, action, target, changes }))
}
