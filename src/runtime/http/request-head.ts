import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { Problem } from '../../hydra/index.ts'

/** Limits in bytes: of one header, and of the request line with all headers. */
const maxBytes = { header: 8 * 1024, all: 16 * 1024 }

/** Refuses requests whose request line or headers are not acceptable, whatever their path. */
export const checkRequestHead: RequestHandler = (request, response, next) => {
  checkSize(request)
  const { httpVersion, headers } = request
  if (httpVersion === '1.1' && headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    throw new Problem(
      417,
      `"Expect: ${headers.expect.slice(0, 100)}" is not supported. Send "100-continue", or no Expect header.`,
    )
  // `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7). OPTIONS of a path lists the methods of that path.
  if (request.method === 'OPTIONS' && request.url === '*') response.writeHead(204).end()
  else next()
}

/** The response names the header that is too large (RFC 6585 §5). The token's own check limits its length. */
function checkSize({ rawHeaders, url = '' }: IncomingMessage): void {
  let all = url.length
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, { length }] = [rawHeaders[index], rawHeaders[index + 1]]
    all += name.length + length + 4
    if (length > maxBytes.header && name.toLowerCase() !== 'authorization')
      throw tooLarge(`The header "${name.slice(0, 100)}" has ${length} bytes. At most ${maxBytes.header} are allowed.`)
  }
  if (all <= maxBytes.all) return
  const remedy = url.length > maxBytes.all / 2 ? 'Send a shorter query.' : 'Send fewer or shorter headers.'
  throw tooLarge(`The request line and the headers have ${all} bytes. At most ${maxBytes.all} are allowed. ${remedy}`)
}

function tooLarge(detail: string): Problem {
  return new Problem(431, detail, { Connection: 'close' })
}
