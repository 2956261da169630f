import type { IncomingHttpHeaders } from 'node:http'
import { faultOf, type StripeFault } from './fault.ts'

export interface Keys {
  secretKey: string
  publishableKey: string
}

/** Whose key a request came with, as user name or as token. */
export function keyOf(headers: IncomingHttpHeaders): string {
  const [scheme, value = ''] = (headers.authorization ?? '').split(' ')
  if (/^bearer$/i.test(scheme)) return value
  if (!/^basic$/i.test(scheme)) return ''
  return Buffer.from(value, 'base64').toString().split(':')[0]
}

export function refuseKey(key: string, { secretKey, publishableKey }: Keys, open: boolean): StripeFault | undefined {
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

function veiled(key: string): string {
  return key.length < 12 ? '*'.repeat(key.length) : `${key.slice(0, 8)}${'*'.repeat(key.length - 12)}${key.slice(-4)}`
}
