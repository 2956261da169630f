import type { IncomingHttpHeaders } from 'node:http'
import { type ErrorResponse, errorResponse } from './api-error.ts'

export interface ApiKeys {
  secretKey: string
  publishableKey: string
  /** Whether the secret key has expired, as a key does that is replaced. */
  expired?: boolean
  /** The permissions that the secret key lacks, as a restricted one does, such as `rak_customer_write`. */
  missingPermissions?: string[]
}

/** Reads the API key of a request: the Bearer token, or the user name of Basic authentication. */
export function readApiKey(headers: IncomingHttpHeaders): string {
  const [scheme, value = ''] = (headers.authorization ?? '').split(' ')
  if (/^bearer$/i.test(scheme)) return value
  if (!/^basic$/i.test(scheme)) return ''
  return Buffer.from(value, 'base64').toString().split(':')[0]
}

/** Whether a key belongs to an account in live mode, where requests would move money. */
export const isLiveKey = (key: string) => /^[a-z]+_live_/.test(key)

export function apiKeyError(
  key: string,
  { secretKey, publishableKey, expired }: ApiKeys,
  open: boolean,
): ErrorResponse | undefined {
  if (expired && key === secretKey)
    return errorResponse(401, `Expired API Key provided: ${masked(key)}`, { code: 'api_key_expired' })
  if (key === secretKey || (open && key === publishableKey)) return
  if (!key) {
    return errorResponse(
      401,
      'You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth ' +
        "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details.",
    )
  }
  if (key === publishableKey) {
    return errorResponse(
      401,
      'This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your ' +
        'API keys at https://dashboard.stripe.com/account/apikeys.',
      { code: 'secret_key_required' },
    )
  }
  return errorResponse(401, `Invalid API Key provided: ${masked(key)}`, { code: 'invalid_api_key' })
}

/** Refuses a request whose permission the restricted key lacks; each kind of object has a read and a write permission. */
export function permissionError(
  key: string,
  { secretKey, missingPermissions = [] }: ApiKeys,
  method: string,
  path: string,
): ErrorResponse | undefined {
  const [, , kind] = path.split('/')
  const permission = `rak_${kind.replace(/s$/, '')}_${method === 'GET' ? 'read' : 'write'}`
  if (key !== secretKey || !missingPermissions.includes(permission)) return
  return errorResponse(
    403,
    `The provided key '${masked(key)}' does not have the required permissions for this endpoint on account 'acct_local'. ` +
      `Having the '${permission}' permission would allow this request to continue.`,
  )
}

function masked(key: string): string {
  return key.length < 12 ? '*'.repeat(key.length) : `${key.slice(0, 8)}${'*'.repeat(key.length - 12)}${key.slice(-4)}`
}
