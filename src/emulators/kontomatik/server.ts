import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type ListenOptions, listen } from '../listen.ts'
import { BankWorld } from './banks/bank-world.ts'
import { Control, type LoggedRequest } from './control/control-routes.ts'
import type { Fault } from './control/ordered-faults.ts'
import { failedCommand } from './http/imports.ts'
import type { KontomatikRequest, KontomatikResponse } from './http/response.ts'
import { errorResponse, KontomatikError } from './http/response.ts'
import { type Emulator, respond } from './http/routes.ts'

interface KontomatikOptions extends ListenOptions {
  /** The file that it remembers in; without, it forgets all when it stops. */
  journal?: string
  apiKey?: string
  /** Milliseconds that an import takes. */
  importMs?: number
}

export interface LocalKontomatik {
  url: string
  /** The address in links. */
  publicUrl: string
  apiKey: string
  /** How many imports were started, ever. */
  readonly imports: number
  readonly requests: LoggedRequest[]
  idsOf: Control['idsOf']
  advance(time: { days: number }): Promise<void>
  dictateStatement: Control['dictateStatement']
  fault(fault: Fault): void
  clearFaults(): void
  revokeUpstream(multipleAccessId: string): Promise<void>
  stop(): Promise<void>
}

/** A Kontomatik of our own with banks that do not exist, for development and tests; it listens to this machine alone. */
export async function startLocalKontomatik(options: KontomatikOptions = {}): Promise<LocalKontomatik> {
  const { journal, apiKey = 'local-kontomatik', importMs = 300 } = options
  const world = new BankWorld({ journal, importMs })
  await world.load()
  const control = new Control(world)
  const parts: Emulator = { url: '', apiKey, world, control }
  const server = createServer((request, response) => handle(request, response, parts))
  const { url, publicUrl } = await listen(server, options)
  parts.url = publicUrl
  return {
    url,
    publicUrl,
    apiKey,
    get imports() {
      return world.state.imports
    },
    requests: control.requests,
    idsOf: (login) => control.idsOf(login),
    advance: (time) => control.advance(time),
    dictateStatement: (login, told, target) => control.dictateStatement(login, told, target),
    fault: (fault) => control.faults.order(fault),
    clearFaults: () => control.faults.clear(),
    revokeUpstream: (multipleAccessId) => control.revokeUpstream(multipleAccessId),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      // Answered requests are saved already; on a full disk the rest cannot be saved.
      await world.save().catch(() => {})
    },
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, parts: Emulator): Promise<void> {
  try {
    const ask = await readRequest(request)
    parts.control.log(ask)
    const { faults } = parts.control
    const fault = faults.take(ask)
    if (fault?.kind === 'slow') await faults.slow(fault)
    const key = String(request.headers['x-api-key'] ?? '')
    const address = request.socket.remoteAddress ?? ''
    const answer = faultResponse(fault, ask) ?? (await respond(ask, key, address, parts))
    if (fault?.kind === 'lost') response.destroy()
    else send(response, answer, fault?.kind === 'cut')
  } catch {
    response.destroy()
  }
}

async function readRequest(request: IncomingMessage): Promise<KontomatikRequest> {
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

function faultResponse(fault: Fault | undefined, { path }: KontomatikRequest): KontomatikResponse | undefined {
  const { kind, name = 'ServiceMaintenance', status, answer, state } = fault ?? {}
  if (kind === 'status') return { status: status ?? 503, headers: {}, body: answer ?? '' }
  if (kind === 'html') {
    const body = '<html><body><h1>Bad gateway</h1><reply/></body></html>'
    return { status: status ?? 502, headers: { 'content-type': 'text/html' }, body }
  }
  if (kind !== 'exception') return undefined
  return state ? failedCommand(path, new KontomatikError(name), state) : errorResponse(new KontomatikError(name), path)
}

/** Cut, it still claims its whole length. */
function send(response: ServerResponse, { status, headers, body }: KontomatikResponse, cut: boolean): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  if (cut) response.write(body.slice(0, body.length / 2), () => response.destroy())
  else response.end(body)
}
