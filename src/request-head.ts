import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { Problem } from './hydra/problem.ts'

/** Bytes of one header, and of the request line and all headers; tokens of 8 kB still fit. */
const most = { header: 8 * 1024 + 256, all: 16 * 1024 }

/** Refuses what can be judged by the request line and the headers alone, whatever the path. */
export const requestHead: RequestHandler = (request, _response, next) => {
  refuseSize(request)
  const { httpVersion, headers } = request
  if (httpVersion === '1.1' && headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    throw new Problem(
      417,
      `The Expect "${headers.expect.slice(0, 100)}" is not understood here. Send "100-continue", or none.`,
    )
  next()
}

/** RFC 6585 §5: the status says which header is too large. */
function refuseSize({ rawHeaders, url = '' }: IncomingMessage): void {
  let all = url.length
  let longest = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    all += rawHeaders[index].length + rawHeaders[index + 1].length + 4
    if (rawHeaders[index + 1].length > rawHeaders[longest + 1].length) longest = index
  }
  if (rawHeaders.length > 0 && rawHeaders[longest + 1].length > most.header)
    throw tooLarge(
      `The header "${rawHeaders[longest].slice(0, 100)}" has ${rawHeaders[longest + 1].length} bytes; ${most.header} are the most. Send a shorter one.`,
    )
  if (all > most.all)
    throw tooLarge(
      `The request line and the headers have ${all} bytes; ${most.all} are the most. ${url.length > most.all / 2 ? 'Send a shorter query' : 'Send fewer or shorter headers'}.`,
    )
}

function tooLarge(detail: string): Problem {
  return new Problem(431, detail, { Connection: 'close' })
}
