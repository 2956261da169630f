import { AuditEvent } from '../../../entities/index.ts'
import { openWorld } from '../world.ts'

const { database } = await openWorld()

/** The audit events of a target, oldest first. */
export function eventsAbout(target: string): Promise<AuditEvent[]> {
  return database.manager.find(AuditEvent, { where: { target }, order: { id: 'ASC' } })
}
