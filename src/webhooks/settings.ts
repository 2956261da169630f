import type { SecretKey } from '../secrets/sealed-text.ts'
import type { AllowedHosts } from './receiver-url.ts'

export interface WebhookSettings {
  /** The keys that encrypt the secrets of endpoints. */
  keys: SecretKey[]
  allowedHosts: AllowedHosts
}
