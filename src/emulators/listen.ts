import { once } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'

/** Where an emulator listens; the default is the loopback address, which only this machine reaches. */
export interface ListenOptions {
  /** 0 takes a free port. */
  port?: number
  host?: string
  /** The address in links, for readers who reach the emulator by another one. */
  publicUrl?: string
}

/**
 * Starts to listen.
 * @returns the URL at which this machine reaches the server, and the one for links
 * @throws Error when the public URL is not an http(s) URL, or the address is in use
 */
export async function listen(
  server: Server,
  { port = 0, host = '127.0.0.1', publicUrl }: ListenOptions,
): Promise<{ url: string; publicUrl: string }> {
  const shown = publicUrl && readPublicUrl(publicUrl)
  server.listen(port, host)
  await once(server, 'listening')
  const url = `http://${reachable(host)}:${(server.address() as AddressInfo).port}`
  return { url, publicUrl: shown || url }
}

/** A wildcard address is reached at its loopback address. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return isIPv6(host) ? `[${host}]` : host
}

function readPublicUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash) return url.href.replace(/(?<!\/)\/+$/, '')
  throw new Error(`--public-url must be an http or https URL without query, not "${value}".`)
}
