import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The block of IPv6 from which public addresses are given out (RFC 4291 §2.4). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** Addresses that look public, and that a cloud answers for its own machines: Azure's host. */
const cloudHosts = ['168.63.129.16']

/**
 * Whether an address belongs to the public internet. Every special block is refused: private, loopback, link-local, shared (CGNAT),
 * multicast, documentation, and IPv6 addresses that contain an IPv4 address.
 */
export function isPublicAddress(address: string): boolean {
  // A zone, as in fe80::1%eth0, exists for local addresses only.
  if (isIP(address) === 0 || address.includes('%') || cloudHosts.includes(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  return parsed.kind() === 'ipv4' || (parsed as ipaddr.IPv6).match(globalUnicast)
}
