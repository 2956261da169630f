import type { KontomatikAccess } from '../banking/kontomatik/connection.ts'
import { readKeys, type SecretKey } from '../secrets/sealed-text.ts'
import { quoteWithoutSecrets } from '../start/quote.ts'
import type { Variables } from './variables.ts'

/** How to reach Kontomatik; undefined where the local emulator replaces it. */
export function readKontomatik(variables: Variables): KontomatikAccess | undefined {
  const apiKey = variables.text('KONTOMATIK_API_KEY')
  const urlText = variables.text('KONTOMATIK_URL')
  const official = 'https://api.kontomatik.com'
  const url = variables.url('KONTOMATIK_URL', urlText ?? official, official)
  if (!apiKey && variables.production)
    variables.addError('KONTOMATIK_API_KEY must be set in production: the local Kontomatik is for development only.')
  else if (!apiKey && urlText) variables.addError('KONTOMATIK_API_KEY must be set when KONTOMATIK_URL is set.')
  if (apiKey && !/^[\x21-\x7e]+$/.test(apiKey))
    variables.addError('KONTOMATIK_API_KEY must consist of printable ASCII characters without spaces.')
  return apiKey && url ? { apiKey, url } : undefined
}

/** The allowed return addresses, as origin and path, because they are compared exactly with those of clients. */
export function readRedirects(variables: Variables): string[] | 'local' | undefined {
  const text = variables.text('KONTOMATIK_REDIRECTS')
  if (text === 'local' && variables.production)
    return variables.addError('KONTOMATIK_REDIRECTS must be addresses in production: local is for development only.')
  if (text === 'local' || text === undefined) return text
  return variables.list('KONTOMATIK_REDIRECTS', text).flatMap((address) => {
    const url = variables.url('KONTOMATIK_REDIRECTS', address, 'https://app.example/bank')
    if (!url) return []
    if (/[?#@]/.test(address)) {
      const rule = 'KONTOMATIK_REDIRECTS must be addresses without a query, a fragment or a password'
      variables.addError(`${rule}, not ${quoteWithoutSecrets(address)}.`)
    }
    const { origin, pathname } = new URL(address)
    return [origin + pathname]
  })
}

/** The keys that encrypt bank consents; undefined where a key in the data directory does. */
export function readSecretKeys(variables: Variables): SecretKey[] | undefined {
  const text = variables.text('SECRETS_KEY')
  if (!text && variables.production)
    return variables.addError(
      'SECRETS_KEY must be set in production: the key in the data directory is for development only.',
    )
  return text ? variables.attempt(() => readKeys(text)) : undefined
}
