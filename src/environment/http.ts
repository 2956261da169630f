import { isIPv4, isIPv6 } from 'node:net'
import { url } from './reading.ts'

/** What links start with: a query or a fragment would end up in their middle, a password with everybody. */
export function publicUrl(value: string): string {
  const checked = url('PUBLIC_URL', value)
  if (new URL(checked).pathname !== '/') throw new Error('PUBLIC_URL must have no path: every @id starts at the root.')
  if (/[?#@]/.test(checked)) throw new Error('PUBLIC_URL must have no query, no fragment and no password.')
  return checked
}

export function origins(value: string): string[] | '*' {
  if (value === '*') return '*'
  return value
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean)
    .map((origin) => {
      if (origin.includes('*')) throw new Error('CORS_ORIGINS must be "*", or a list of origins without any "*" in it.')
      return new URL(url('CORS_ORIGINS', origin)).origin
    })
}

export function trusted(value: string): boolean | number | string {
  if (value === 'true' || value === 'false') return value === 'true'
  if (/^\d+$/.test(value)) return Number(value)
  if (!value.split(',').every((part) => isNetwork(part.trim())))
    throw new Error(`TRUST_PROXY must be true, false, a number of hops, or a list of networks, not "${value}".`)
  return value
}

/** An address, with or without the length of its prefix, or one of the names that Express has for some. */
function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true
  const [address, bits = '1', ...more] = text.split('/')
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0
  return more.length === 0 && /^\d+$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most
}
