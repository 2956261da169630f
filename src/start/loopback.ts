import { BlockList, isIP, isIPv6 } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/** Whether a host, an IP address or a name, is this machine itself. */
export function isLoopback(host: string): boolean {
  return isIP(host) ? loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4') : host.toLowerCase() === 'localhost'
}

/** The host of a URL without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}
