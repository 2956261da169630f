import type { IncomingHttpHeaders } from 'node:http'

/** The media type of a body without its parameters (RFC 9110 §8.3.1). */
export function mediaTypeOf(headers: IncomingHttpHeaders): string | undefined {
  return headers['content-type']?.split(';')[0].trim().toLowerCase()
}
