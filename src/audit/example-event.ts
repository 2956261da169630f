import { AuditEvent } from '../../entities/index.ts'

/** An audit event that is never stored, for the documentation and for tests of webhooks. */
export function exampleEvent(): AuditEvent {
  return new AuditEvent()
}
