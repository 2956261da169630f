import { isIPv6 } from 'node:net'
import type { Caller } from './caller.ts'

/** The tenant and the caller that a task is charged to. A shared thread is divided among tenants, then among their callers. */
export interface FairShare {
  tenant: string
  caller: string
}

/** The share of tasks that the server runs for itself. */
export const processShare: FairShare = { tenant: '', caller: '' }

/** A caller without an organization is its own tenant. A caller without a token is identified by its IP address. */
export function shareOf({ tenant, bearer }: Caller, ip: string | undefined): FairShare {
  const caller = bearer ? JSON.stringify([bearer.issuer, bearer.subject]) : addressOf(ip ?? '')
  return { tenant: tenant ?? caller, caller }
}

/** The part of an IP address that identifies one subscriber: all of IPv4, the first 64 bits of IPv6. */
export function addressOf(ip: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip) ?? []
  if (mapped || !isIPv6(ip)) return mapped ?? ip
  const [head, tail] = ip.split('::')
  const groups = head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  return [...groups, ...Array(Math.max(missing, 0)).fill('0'), ...(tail?.split(':') ?? [])].slice(0, 4).join(':')
}
