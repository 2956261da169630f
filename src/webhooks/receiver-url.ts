import { isIP } from 'node:net'
import { isPublicAddress } from './public-address.ts'

/** Hosts of WEBHOOK_ALLOWED_HOSTS, as `host` for every port or as `host:port`. They may have private addresses, and URLs with http. */
export type AllowedHosts = readonly string[]

/** The host of a URL without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

/** Whether the configuration lets a URL lead to a private address. */
export function isAllowedHost({ hostname, port, protocol }: URL, allowed: AllowedHosts): boolean {
  const usual = protocol === 'https:' ? '443' : '80'
  return allowed.includes(hostname) || allowed.includes(`${hostname}:${port || usual}`)
}

/** The sentence that says why a URL cannot receive events; undefined where it can. The addresses of names are checked later. */
export function refusalOf(text: string, allowed: AllowedHosts): string | undefined {
  if (!URL.canParse(text)) return 'url must be a URL, such as https://hooks.example.com/events.'
  const url = new URL(text)
  if (url.username || url.password) return 'url must not hold a user name or a password.'
  if (text.includes('#')) return 'url must have no fragment.'
  if (isAllowedHost(url, allowed) && url.protocol === 'http:') return undefined
  if (url.protocol !== 'https:') return 'url must start with https://.'
  if (isAllowedHost(url, allowed)) return undefined
  const host = hostOf(url)
  if (isIP(host) ? !isPublicAddress(host) : isLocalName(host)) return 'url must have a public host.'
  return undefined
}

/** Names that never lead to the public internet (RFC 6761, RFC 6762, RFC 8375), and names without a dot. */
function isLocalName(host: string): boolean {
  const name = host.replace(/\.$/, '')
  return !name.includes('.') || /\.(localhost|local|internal|home\.arpa|invalid|test|onion)$/.test(name)
}
