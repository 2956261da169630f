import dns, { type LookupAddress, type LookupOptions, lookup as lookupBySystem } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isPublicAddress } from './public-address.ts'
import { type AllowedHosts, hostOf, isAllowedHost } from './receiver-url.ts'

/** A host that is never called, because it leads to a private network. */
export class PrivateAddress extends Error {
  constructor(host: string) {
    super(`The host ${host} has a private address, to which webhooks are not sent.`)
  }
}

type Callback = (error: Error | null, address: string | LookupAddress[], family?: number) => void
type Lookup = (host: string, options: LookupOptions, callback: Callback) => void

/**
 * The look-up of a connection. The connection uses the addresses that were checked, so a name that changes in between (DNS rebinding)
 * gains nothing. A host is refused if one of its addresses is private.
 * @throws PrivateAddress where the host is itself a private address, for which a connection makes no look-up
 */
export function lookupFor(url: URL, allowed: AllowedHosts): Lookup {
  if (isAllowedHost(url, allowed)) return lookupBySystem as Lookup
  const host = hostOf(url)
  if (isIP(host) && !isPublicAddress(host)) throw new PrivateAddress(host)
  return (name, { all }, callback) => {
    publicAddresses(name).then(
      (found) => (all ? callback(null, found) : callback(null, found[0].address, found[0].family)),
      (error) => callback(error, ''),
    )
  }
}

/** Asks the name servers themselves: the system's look-up would occupy one of four threads while a server is silent. */
async function publicAddresses(host: string): Promise<LookupAddress[]> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  // A named import would keep the servers of the start.
  resolver.setServers(dns.getServers())
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const addresses = [...foundBy(four), ...foundBy(six)].map((address) => ({ address, family: isIP(address) }))
  if (addresses.length === 0) throw Object.assign(new Error(`The host ${host} was not found.`), { code: 'ENOTFOUND' })
  if (!addresses.every(({ address }) => isPublicAddress(address))) throw new PrivateAddress(host)
  return addresses
}

function foundBy(result: PromiseSettledResult<string[]>): string[] {
  return result.status === 'fulfilled' ? result.value : []
}
