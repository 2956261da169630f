import type { Request } from 'express'

type Head = Pick<Request, 'method' | 'headers'>

/** The media types of forms in HTML. */
const formTypes = ['application/x-www-form-urlencoded', 'multipart/form-data']

/**
 * Whether a read comes from a page of this server or from the person, not from another site (Fetch Metadata). Browsers without
 * that header keep the cookie at home, because it is `Strict`.
 */
export function isOwnRead({ method, headers }: Head): boolean {
  const site = headers['sec-fetch-site']
  return (method === 'GET' || method === 'HEAD') && (site === undefined || site === 'same-origin' || site === 'none')
}

/** Whether a request is sent as a form. */
export function isForm({ method, headers }: Head): boolean {
  const type = headers['content-type']?.split(';')[0].trim().toLowerCase() ?? ''
  return method === 'POST' && formTypes.includes(type)
}

/**
 * Whether a request is a form that a page of this server has sent. Without Fetch Metadata its `Origin` must be this server's.
 * @param origin the origin of PUBLIC_URL
 */
export function isOwnForm(request: Head, origin: string): boolean {
  const { headers } = request
  if (!isForm(request)) return false
  const site = headers['sec-fetch-site']
  return site === undefined ? headers.origin === origin : site === 'same-origin'
}
