import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { Problem } from '../../hydra/model/problem.ts'

/** Bytes of one header, and of the request line and all headers. */
const most = { header: 8 * 1024, all: 16 * 1024 }

/** Refuses what can be judged by the request line and the headers alone, whatever the path. */
export const checkRequestHead: RequestHandler = (request, response, next) => {
  refuseSize(request)
  const { httpVersion, headers } = request
  if (httpVersion === '1.1' && headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    throw new Problem(
      417,
      `The Expect "${headers.expect.slice(0, 100)}" is not understood here. Send "100-continue", or none.`,
    )
  // A question about the server as a whole (RFC 9110 §9.3.7); what a path takes is asked of that path.
  if (request.method === 'OPTIONS' && request.url === '*') response.writeHead(204).end()
  else next()
}

/** RFC 6585 §5: the answer says which header is too large. The length of a token is judged with the token. */
function refuseSize({ rawHeaders, url = '' }: IncomingMessage): void {
  let all = url.length
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, { length }] = [rawHeaders[index], rawHeaders[index + 1]]
    all += name.length + length + 4
    if (length > most.header && name.toLowerCase() !== 'authorization')
      throw tooLarge(`The header "${name.slice(0, 100)}" has ${length} bytes; ${most.header} are the most.`)
  }
  if (all <= most.all) return
  const remedy = url.length > most.all / 2 ? 'Send a shorter query.' : 'Send fewer or shorter headers.'
  throw tooLarge(`The request line and the headers have ${all} bytes; ${most.all} are the most. ${remedy}`)
}

function tooLarge(detail: string): Problem {
  return new Problem(431, detail, { Connection: 'close' })
}
