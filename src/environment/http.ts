import { isIP, isIPv4, isIPv6 } from 'node:net'
import { isLoopback } from '../start/loopback.ts'
import { quote, quoteWithoutSecrets } from '../start/quote.ts'
import type { Variables } from './variables.ts'

/** An IP address or a host name. Without NODE_ENV it must be a loopback address, because the server prints tokens. */
export function readHost(variables: Variables): string {
  const host = variables.text('HOST') ?? '127.0.0.1'
  const nodeEnv = variables.exact('NODE_ENV')
  if (nodeEnv !== undefined) variables.oneOf('NODE_ENV', nodeEnv, ['development', 'test', 'production'])
  if (!isIP(host) && !/^[a-z\d_]([a-z\d_.-]{0,251}[a-z\d_.])?$/i.test(host))
    variables.addError(
      `HOST must be an IP address or a host name, without scheme, port and brackets, not ${quoteWithoutSecrets(host)}.`,
    )
  else if (nodeEnv === undefined && !isLoopback(host))
    variables.addError(
      `NODE_ENV must be set to production or development, because HOST is ${quote(host)} and not a loopback address.`,
    )
  return host
}

/**
 * The beginning of every link, and the path that the API is served under. It has no query and no fragment, which would end up
 * inside links, and no password, which every client would see.
 */
export function readPublicUrl(variables: Variables, host: string, port: number): string {
  const text = variables.text('PUBLIC_URL')
  if (!text && variables.production)
    variables.addError('PUBLIC_URL must be set in production: the default is for development only.')
  if (!text) return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`
  const url = variables.url('PUBLIC_URL', text, 'https://api.example')
  if (url && /[?#@]/.test(url))
    variables.addError(`PUBLIC_URL must have no query, no fragment and no password, not ${quoteWithoutSecrets(url)}.`)
  else if (url && !hasPlainPath(url))
    variables.addError(
      `PUBLIC_URL must have a path of letters, digits, "-", "_" and "." that does not begin with /health or /metrics, not ${quoteWithoutSecrets(url)}.`,
    )
  return url ?? text
}

/** Whether a URL has no path, or a path without encoded characters that hides no route of the server. */
function hasPlainPath(url: string): boolean {
  const { pathname } = new URL(url)
  const rest = url.replace(/^https?:\/\/[^/]*/, '')
  if (pathname === '/') return rest === ''
  return rest === pathname && /^(\/[\w.-]+)+$/.test(pathname) && !/^\/(health|metrics)(\/|$)/.test(pathname)
}

/** The origins whose pages may call the API. */
export function readCorsOrigins(variables: Variables): string[] | '*' {
  const text = variables.text('CORS_ORIGINS') ?? (variables.production ? undefined : '*')
  if (text === '*') return text
  return variables.list('CORS_ORIGINS', text).flatMap((origin) => {
    if (origin.includes('*'))
      return (
        variables.addError(
          `CORS_ORIGINS must be "*", or a list of origins without "*", not ${quoteWithoutSecrets(origin)}.`,
        ) ?? []
      )
    const url = variables.url('CORS_ORIGINS', origin, 'https://app.example')
    if (url && !/^https?:\/\/[^/?#@]+$/.test(url))
      variables.addError(
        `CORS_ORIGINS must be origins without path, query and password, not ${quoteWithoutSecrets(origin)}.`,
      )
    return url ? [new URL(url).origin] : []
  })
}

/** Whether people may use the pages of the explorer, and sign in on them. */
export function readExplorer(variables: Variables): boolean {
  return variables.oneOf('EXPLORER', variables.text('EXPLORER') ?? 'on', ['on', 'off']) === 'on'
}

/** The proxies whose `X-Forwarded-*` headers are believed, as Express reads them. */
export function readTrustProxy(variables: Variables): boolean | number | string {
  const text = variables.text('TRUST_PROXY') ?? 'false'
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^\d{1,3}$/.test(text)) return Number(text)
  if (!text.split(',').every((part) => isNetwork(part.trim())))
    variables.addError(
      `TRUST_PROXY must be true, false, a number of hops up to 999, or a list of networks, not ${quoteWithoutSecrets(text)}.`,
    )
  return text
}

/** Whether a text is an address, an address with a prefix length, or one of Express's names for networks. */
function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true
  const [address, bits = '1', ...rest] = text.split('/')
  const maxBits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0
  return rest.length === 0 && /^\d+$/.test(bits) && Number(bits) >= 1 && Number(bits) <= maxBits
}
