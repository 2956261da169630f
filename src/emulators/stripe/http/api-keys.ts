import type { IncomingHttpHeaders } from 'node:http'
import { faultOf, type StripeFault } from './api-error.ts'

export interface Keys {
  secretKey: string
  publishableKey: string
  /** Whether the secret key has expired, as a key does that is replaced. */
  expired?: boolean
  /** The permissions that the secret key lacks, as a restricted one does, such as `rak_customer_write`. */
  lacks?: string[]
}

/** Whose key a request came with, as user name or as token. */
export function keyOf(headers: IncomingHttpHeaders): string {
  const [scheme, value = ''] = (headers.authorization ?? '').split(' ')
  if (/^bearer$/i.test(scheme)) return value
  if (!/^basic$/i.test(scheme)) return ''
  return Buffer.from(value, 'base64').toString().split(':')[0]
}

export function refuseKey(
  key: string,
  { secretKey, publishableKey, expired }: Keys,
  open: boolean,
): StripeFault | undefined {
  if (expired && key === secretKey)
    return faultOf(401, `Expired API Key provided: ${veiled(key)}`, { code: 'api_key_expired' })
  if (key === secretKey || (open && key === publishableKey)) return
  if (!key) {
    return faultOf(
      401,
      'You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth ' +
        "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details.",
    )
  }
  if (key === publishableKey) {
    return faultOf(
      401,
      'This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your ' +
        'API keys at https://dashboard.stripe.com/account/apikeys.',
      { code: 'secret_key_required' },
    )
  }
  return faultOf(401, `Invalid API Key provided: ${veiled(key)}`, { code: 'invalid_api_key' })
}

/** What a restricted key may not do: to read or to write one kind of object is a permission each. */
export function refusePermission(
  key: string,
  { secretKey, lacks = [] }: Keys,
  method: string,
  path: string,
): StripeFault | undefined {
  const [, , kind] = path.split('/')
  const permission = `rak_${kind.replace(/s$/, '')}_${method === 'GET' ? 'read' : 'write'}`
  if (key !== secretKey || !lacks.includes(permission)) return
  return faultOf(
    403,
    `The provided key '${veiled(key)}' does not have the required permissions for this endpoint on account 'acct_local'. ` +
      `Having the '${permission}' permission would allow this request to continue.`,
  )
}

function veiled(key: string): string {
  return key.length < 12 ? '*'.repeat(key.length) : `${key.slice(0, 8)}${'*'.repeat(key.length - 12)}${key.slice(-4)}`
}
