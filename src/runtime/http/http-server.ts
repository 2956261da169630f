import { randomUUID } from 'node:crypto'
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Express } from 'express'
import type { Logger } from 'pino'
import { Problem } from '../../hydra/index.ts'
import { lingerAfterResponse, makeDrainable, type ShutdownState } from './connection-draining.ts'
import { linksOf, transportSecurity } from './response-headers.ts'
import type { SharedPort } from './shared-port.ts'

/** Time limits of clients in milliseconds. They are checked every second: with Node's default of 30 s, slow clients pile up. */
const limits = {
  connectionsCheckingInterval: 1000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
}

/** Twice the application's limit in bytes: Node's own refusal cannot name the header that is too large. */
const maxHeaderSize = 32 * 1024

/** Time for the rest of a refused body to arrive. Its connection can be used again after that. */
const bodyTimeoutMs = 5000

/** The HTTP server of an app. It also answers malformed HTTP with a problem. Its `close` drains: it cuts no request. */
export function createHttpServer(app: Express, publicUrl: string, log?: Logger, port?: SharedPort): Server {
  const shutdown: ShutdownState = { closing: false }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    request.url = originForm(request.url as string)
    if (shutdown.held) shutdown.held.push(() => app(request as never, response as never))
    else app(request as never, response as never)
  }
  const server = createServer({ ...limits, maxHeaderSize, ...messageClasses(app, shutdown) }, answer)
  makeDrainable(server, shutdown, port)
  // A client that gets no "100 Continue" may leave its body out, so the start of its next request would be unknown.
  for (const event of ['checkContinue', 'checkExpectation'])
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      response.setHeader('Connection', 'close')
      answer(request, response)
    })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    refuseMalformed(error, socket, publicUrl, log),
  )
  return server
}

/** The key of a connection's last response. Responses to pipelined requests before it keep the connection open. */
const lastResponse = Symbol('the last response of a connection')

type Connection = Socket & { [lastResponse]?: ServerResponse }

/**
 * Express changes the prototype of every message, which costs V8 more than the rest of Express. Messages that are created with
 * that prototype need no change: Express then takes 8 µs a request instead of 50.
 */
function messageClasses(app: Express, shutdown: ShutdownState) {
  class Incoming extends IncomingMessage {}
  class Outgoing<Request extends IncomingMessage> extends ServerResponse<Request> {
    /** Members of Node without a public name: the text of the head, and whether a body may follow it. */
    declare _header: string
    declare _hasBody: boolean

    constructor(...given: ConstructorParameters<typeof ServerResponse<Request>>) {
      super(...given)
      const socket: Connection = given[0].socket
      socket[lastResponse] = this
    }

    override writeHead(status: number, ...rest: never[]): this {
      const { req } = this
      const socket: Connection = req.socket
      if (shutdown.closing && socket[lastResponse] === this) this.shouldKeepAlive = false
      if (!req.complete) {
        if (!this.shouldKeepAlive) lingerAfterResponse(req)
        this.once('finish', () => readRest(req))
      }
      return super.writeHead(status, ...rest)
    }

    /**
     * Node writes the head, the body and the end as three chunks. A body with as many bytes as characters is ASCII. It is
     * appended to the text of the head, so that all is one chunk.
     */
    override end(body?: unknown, ...rest: never[]): this {
      const isWhole = typeof body === 'string' && rest.length === 0 && !this.headersSent
      if (!isWhole || this.getHeader('Content-Length') !== body.length) return super.end(body, ...rest)
      this.writeHead(this.statusCode)
      if (this._hasBody) this._header += body
      return super.end()
    }
  }
  Object.setPrototypeOf(Incoming.prototype, app.request)
  Object.setPrototypeOf(Outgoing.prototype, app.response)
  app.request = Incoming.prototype as unknown as Express['request']
  app.response = Outgoing.prototype as unknown as Express['response']
  return { IncomingMessage: Incoming, ServerResponse: Outgoing }
}

/** A request target without scheme and authority, because proxies send absolute URLs (RFC 9112 §3.2.2). */
function originForm(target: string): string {
  if (target[0] === '/') return target
  const authority = /^https?:\/\/[^/?]*/i.exec(target)?.[0]
  if (authority === undefined) return target
  const rest = target.slice(authority.length)
  return rest[0] === '/' ? rest : `/${rest}`
}

/** Reads the rest of a refused body, because the next request follows it. */
function readRest(request: IncomingMessage): void {
  if (request.complete) return
  request.resume()
  const { socket } = request
  const cut = setTimeout(() => socket.destroy(), bodyTimeoutMs).unref()
  request.once('end', () => clearTimeout(cut))
}

/** Responses to errors of Node's parser, by their code. */
const parserErrors: Record<string, [status: number, detail: string]> = {
  HPE_HEADER_OVERFLOW: [
    431,
    `The request line and the headers have more than ${maxHeaderSize} bytes. Send shorter headers or a shorter query.`,
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions of the body are too large. Send no chunk extensions.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time. Send it without pauses.'],
}

function refuseMalformed({ code = '' }: NodeJS.ErrnoException, socket: Socket, publicUrl: string, log?: Logger): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, detail] = parserErrors[code] ?? [
    400,
    'The request is not valid HTTP/1.1. Correct its request line, headers or framing.',
  ]
  const problem = new Problem(status, detail)
  const body = JSON.stringify(problem.document(new URL(publicUrl).pathname.replace(/\/$/, '')))
  const request = randomUUID()
  const transport = transportSecurity(publicUrl)
  const head = [
    `HTTP/1.1 ${status} ${problem.title}`,
    'Connection: close',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${request}`,
    `Link: ${linksOf(publicUrl)}`,
    ...(transport ? [`Strict-Transport-Security: ${transport}`] : []),
  ]
  log?.info({ request, status }, 'refused a malformed request')
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
