import { isIPv6 } from 'node:net'
import type { Caller } from './caller.ts'

/** Who pays for a task that many callers wait for: a tenant, and within it one caller. */
export interface FairShare {
  tenant: string
  caller: string
}

/** The share of what the server does for itself. */
export const processShare: FairShare = { tenant: '', caller: '' }

/** A caller without an organization is a tenant by itself; without a token it is known by its address. */
export function shareOf({ tenant, bearer }: Caller, ip: string | undefined): FairShare {
  const caller = bearer ? JSON.stringify([bearer.issuer, bearer.subject]) : addressOf(ip ?? '')
  return { tenant: tenant ?? caller, caller }
}

/** The part of an address that one subscriber has: all of IPv4, the first 64 bits of IPv6. */
export function addressOf(ip: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip) ?? []
  if (mapped || !isIPv6(ip)) return mapped ?? ip
  const [head, tail] = ip.split('::')
  const groups = head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  return [...groups, ...Array(Math.max(missing, 0)).fill('0'), ...(tail?.split(':') ?? [])].slice(0, 4).join(':')
}
