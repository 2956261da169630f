import { randomUUID } from 'node:crypto'
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Express } from 'express'
import type { Logger } from 'pino'
import { rootOf } from '../../hydra/model/iri-converter.ts'
import { Problem } from '../../hydra/model/problem.ts'
import { lingerAfterResponse, makeDrainable, type ShutdownState } from './connection-draining.ts'
import { transportSecurity } from './response-headers.ts'
import type { SharedPort } from './shared-port.ts'

/** Milliseconds that a client may take; they are checked every second, as Node's own half minute lets slow ones pile up. */
const limits = {
  connectionsCheckingInterval: 1000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
}

/** Node refuses a head of twice the size that the application does, which can name what is too large. */
const maxHeaderSize = 32 * 1024

/** Milliseconds in which the rest of a body that was refused may come in; its connection can be used again after that. */
const drainTimeout = 5000

/** The HTTP server around the app; what is not even HTTP gets a problem too. Its `close` cuts no request. */
export function createHttpServer(app: Express, publicUrl: string, log?: Logger, port?: SharedPort): Server {
  const shutdown: ShutdownState = { closing: false }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
      response.once('finish', () => drain(request))
    request.url = originForm(request.url as string)
    const handle = () => app(request as never, response as never)
    if (shutdown.held) shutdown.held.push(handle)
    else handle()
  }
  const server = createServer({ ...limits, maxHeaderSize, ...messagesOf(app, shutdown) }, answer)
  makeDrainable(server, shutdown, port)
  // A client that is not told to continue may leave its body out, so that no next request could be found behind it.
  for (const event of ['checkContinue', 'checkExpectation'])
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      response.setHeader('Connection', 'close')
      answer(request, response)
    })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuse(error, socket, publicUrl, log))
  return server
}

/**
 * Express gives every message a prototype of its own, which costs V8 more than all else that Express does.
 * Messages that are made with that prototype need no change: a request costs 8 µs where it cost 50.
 */
function messagesOf(app: Express, shutdown: ShutdownState) {
  /** The answer to the last request of each connection: those to pipelined requests before it do not close it. */
  const last = new WeakMap<Socket, ServerResponse>()
  class Incoming extends IncomingMessage {}
  class Outgoing extends ServerResponse {
    constructor(...given: ConstructorParameters<typeof ServerResponse>) {
      super(...given)
      last.set(given[0].socket, this)
    }

    override writeHead(status: number, ...rest: never[]): this {
      if (shutdown.closing && last.get(this.req.socket) === this) this.shouldKeepAlive = false
      if (!this.shouldKeepAlive && !this.req.complete) lingerAfterResponse(this.req)
      return super.writeHead(status, ...rest)
    }
  }
  Object.setPrototypeOf(Incoming.prototype, app.request)
  Object.setPrototypeOf(Outgoing.prototype, app.response)
  app.request = Incoming.prototype as unknown as Express['request']
  app.response = Outgoing.prototype as unknown as Express['response']
  return { IncomingMessage: Incoming, ServerResponse: Outgoing }
}

/** A request target without scheme and authority: proxies send absolute URLs, which name the same (RFC 9112 §3.2.2). */
function originForm(target: string): string {
  if (target[0] === '/') return target
  const authority = /^https?:\/\/[^/?]*/i.exec(target)?.[0]
  if (authority === undefined) return target
  const rest = target.slice(authority.length)
  return rest[0] === '/' ? rest : `/${rest}`
}

/** Reads what is left of a body that was refused, for a while: the next request comes behind it. */
function drain(request: IncomingMessage): void {
  if (request.complete) return
  request.resume()
  const { socket } = request
  const cut = setTimeout(() => socket.destroy(), drainTimeout).unref()
  request.once('end', () => clearTimeout(cut))
}

/** What Node's parser refuses, by its code. */
const refusals: Record<string, [status: number, detail: string]> = {
  HPE_HEADER_OVERFLOW: [
    431,
    `The request line and the headers have more than ${maxHeaderSize} bytes. Send fewer or shorter headers, or a shorter query.`,
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions of the body are too large. Send none.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not come in in time. Send all of it at once.'],
}

function refuse({ code = '' }: NodeJS.ErrnoException, socket: Socket, publicUrl: string, log?: Logger): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, detail] = refusals[code] ?? [400, 'The request is not HTTP as this server reads it.']
  const problem = new Problem(status, detail)
  const body = JSON.stringify(problem.document(rootOf(publicUrl)))
  const request = randomUUID()
  const transport = transportSecurity(publicUrl)
  const head = [
    `HTTP/1.1 ${status} ${problem.title}`,
    'Connection: close',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${request}`,
    `Link: <${publicUrl}/docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"`,
    ...(transport ? [`Strict-Transport-Security: ${transport}`] : []),
  ]
  log?.info({ request, status }, 'what is not HTTP was refused')
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
