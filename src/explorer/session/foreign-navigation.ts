import type { Request } from 'express'

/**
 * The header that loads a page again, once. A browser that follows a link of another site sends no `Strict` cookie, so a person who
 * has signed in would see a sign-in. The second request comes from this server's own page, and has the cookie.
 */
export function reloadHeader({ method, headers, originalUrl }: Request): Record<string, string> {
  const site = headers['sec-fetch-site']
  const isForeign = site === 'cross-site' || site === 'same-site'
  const isPage =
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  // A path that begins with two slashes would be another host.
  return isForeign && isPage && !originalUrl.startsWith('//') ? { Refresh: `0;url=${originalUrl}` } : {}
}
