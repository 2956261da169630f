import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { World } from './banks/bank-world.ts'
import { Controls, type Logged } from './control/control-routes.ts'
import type { Fault } from './control/ordered-faults.ts'
import { failed } from './http/imports.ts'
import type { Answer, Ask } from './http/response.ts'
import { Refusal, refused } from './http/response.ts'
import { answerTo, type Parts } from './http/routes.ts'

interface Options {
  /** Any free one unless said. */
  port?: number
  /** The file that it remembers in; without, it forgets all when it stops. */
  journal?: string
  apiKey?: string
  /** Milliseconds that an import takes. */
  pace?: number
}

export interface LocalKontomatik {
  url: string
  apiKey: string
  /** How many imports were started, ever. */
  readonly imports: number
  readonly requests: Logged[]
  of: Controls['of']
  advance(time: { days: number }): Promise<void>
  tell: Controls['tell']
  fault(fault: Fault): void
  clearFaults(): void
  revokeUpstream(multipleAccessId: string): Promise<void>
  stop(): Promise<void>
}

/** A Kontomatik of our own with banks that do not exist, for development and tests; it listens to this machine alone. */
export async function startLocalKontomatik(options: Options = {}): Promise<LocalKontomatik> {
  const { port = 0, journal, apiKey = 'local-kontomatik', pace = 300 } = options
  const world = new World({ journal, pace })
  await world.load()
  const controls = new Controls(world)
  const parts: Parts = { url: '', apiKey, world, controls }
  const server = createServer((request, response) => serve(request, response, parts))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  parts.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: parts.url,
    apiKey,
    get imports() {
      return world.state.imports
    },
    requests: controls.requests,
    of: (login) => controls.of(login),
    advance: (time) => controls.advance(time),
    tell: (login, told, target) => controls.tell(login, told, target),
    fault: (fault) => controls.faults.plan(fault),
    clearFaults: () => controls.faults.clear(),
    revokeUpstream: (multipleAccessId) => controls.revokeUpstream(multipleAccessId),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      // What was answered is kept already; on a full disk the rest cannot be.
      await world.keep().catch(() => {})
    },
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  try {
    const ask = await read(request)
    parts.controls.log(ask)
    const { faults } = parts.controls
    const fault = faults.take(ask)
    if (fault?.kind === 'slow') await faults.slow(fault)
    const key = String(request.headers['x-api-key'] ?? '')
    const address = request.socket.remoteAddress ?? ''
    const answer = instead(fault, ask) ?? (await answerTo(ask, key, address, parts))
    if (fault?.kind === 'lost') response.destroy()
    else send(response, answer, fault?.kind === 'cut')
  } catch {
    response.destroy()
  }
}

async function read(request: IncomingMessage): Promise<Ask> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://local')
  let body = ''
  request.setEncoding('utf8')
  for await (const chunk of request) {
    body += chunk
    if (body.length > 100_000) throw new Error('Nothing that is sent here is as long.')
  }
  const { method = 'GET', headers } = request
  return { method, path: pathname, query: searchParams, body, type: headers['content-type'] ?? '' }
}

function instead(fault: Fault | undefined, { path }: Ask): Answer | undefined {
  const { kind, name = 'ServiceMaintenance', status, answer, state } = fault ?? {}
  if (kind === 'status') return { status: status ?? 503, headers: {}, body: answer ?? '' }
  if (kind === 'html') {
    const body = '<html><body><h1>Bad gateway</h1><reply/></body></html>'
    return { status: status ?? 502, headers: { 'content-type': 'text/html' }, body }
  }
  if (kind !== 'exception') return undefined
  return state ? failed(path, new Refusal(name), state) : refused(new Refusal(name), path)
}

/** Cut, it still claims its whole length. */
function send(response: ServerResponse, { status, headers, body }: Answer, cut: boolean): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  if (cut) response.write(body.slice(0, body.length / 2), () => response.destroy())
  else response.end(body)
}
