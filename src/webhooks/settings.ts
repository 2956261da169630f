import type { AuditEvent } from '../../entities/index.ts'
import type { SecretKey } from '../secrets/sealed-text.ts'
import type { AllowedHosts } from './receiver-url.ts'

export interface WebhookSettings {
  /** The keys that encrypt the secrets of endpoints. */
  keys: SecretKey[]
  allowedHosts: AllowedHosts
}

/** The settings of the jobs that send events. */
export interface Webhooks extends WebhookSettings {
  /** Overrides the time that a receiver has. */
  timeoutMs?: number
  /** Writes an audit event as a role of its organization would read it. */
  documentOf(event: AuditEvent, role: string): object
}
