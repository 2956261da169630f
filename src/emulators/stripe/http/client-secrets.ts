import { invalidRequest, resourceMissing } from './api-error.ts'
import { text } from './parameter-values.ts'
import type { Call } from './route.ts'

/** With the publishable key, an intent is seen only by those who know its secret. */
export function requireClientSecret<T extends { id: string; object: string; client_secret: string }>(
  call: Call,
  intent: T,
): T {
  const secret = text(call.params, 'client_secret')
  if (call.publishable && !secret) {
    throw invalidRequest('Missing required param: client_secret.', {
      code: 'parameter_missing',
      param: 'client_secret',
    })
  }
  if (secret && secret !== intent.client_secret) throw resourceMissing(intent.object, intent.id)
  return intent
}
