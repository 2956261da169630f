import type { Access } from '../banking/connection.ts'
import { readKeys, type SecretKey } from '../banking/secrets.ts'
import { type Text, url } from './reading.ts'

/** How to speak to Kontomatik; undefined where a local one stands in for it. */
export function kontomatik(text: Text, production: boolean): Access | undefined {
  const [apiKey, given] = [text('KONTOMATIK_API_KEY'), text('KONTOMATIK_URL')]
  if (!apiKey && production)
    throw new Error('KONTOMATIK_API_KEY must be set in production: the local Kontomatik is for development only.')
  if (!apiKey && given) throw new Error('KONTOMATIK_API_KEY must be set where KONTOMATIK_URL is.')
  if (!apiKey) return undefined
  if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new Error('KONTOMATIK_API_KEY must be printable, without spaces.')
  return { apiKey, url: url('KONTOMATIK_URL', given ?? 'https://api.kontomatik.com') }
}

/** Compared to the letter with origin and path of what a client sends, so each is written as it would be there. */
export function redirects(value: string | undefined, production: boolean): string[] | 'local' | undefined {
  if (value === 'local' && production)
    throw new Error('KONTOMATIK_REDIRECTS must be addresses in production: local is for development only.')
  if (value === 'local') return value
  return value
    ?.split(',')
    .map((address) => address.trim())
    .filter(Boolean)
    .map((address) => {
      url('KONTOMATIK_REDIRECTS', address)
      if (/[?#@]/.test(address))
        throw new Error('KONTOMATIK_REDIRECTS must be addresses without a query, a fragment or a password.')
      const { origin, pathname } = new URL(address)
      return origin + pathname
    })
}

export function secrets(value: string | undefined, production: boolean): SecretKey[] | undefined {
  if (!value && production)
    throw new Error('SECRETS_KEY must be set in production: the key of the data directory is for development only.')
  return value ? readKeys(value) : undefined
}
