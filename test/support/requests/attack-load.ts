import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Location, type User } from '../../../entities/index.ts'
import { serverEnvironment } from '../processes/server-environment.ts'
import { ServerProcess } from '../processes/server-process.ts'
import { openWorld, type Tenant } from '../world.ts'
import type { Answer } from './raw-responses.ts'

const { ending, foundTenant, given, tokenOf } = await openWorld()

/** One request of an attacker or of the tenant that must not notice; without a user it is anonymous. */
export interface Sent {
  user?: User
  method?: string
  path: string
  headers?: Record<string, string>
  body?: string | Buffer
}

/** Sends a request over one of many connections; a request that gets no answer has the status 0. */
export type Ask = (sent: Sent) => Promise<Answer>

/** Sends what one caller or several may send within their limits, as people of a tenant that exists for this attack. */
export type Attack = (ask: Ask, tenant: Tenant) => Promise<unknown>

/** Milliseconds until answers were complete. */
export interface Waits {
  count: number
  p99: number
  max: number
}

/** How long another tenant waited during the attack, and how long a process with nothing to do took meanwhile. */
export interface Course {
  calm: Waits
  attacked: Waits
}

/** Milliseconds: of the longest attack, between two requests of a connection, until a connection is given up. */
const times = { attack: 8000, pause: 60, patience: 10_000 }

/** Connections to each process over which the other tenant asks. */
const perWorker = 2

let tenants = 0

/** A server in processes of its own that counts requests as in production. */
export function attackedServer(workers: number, environment: Record<string, string> = {}): ServerProcess {
  const settings = { WORKERS: `${workers}`, RATE_LIMITS: 'on', LOG_LEVEL: 'info', ...environment }
  const service = new ServerProcess({ ...serverEnvironment(`attacked-${workers}`), ...settings })
  ending.unshift(() => service.close())
  return service
}

/**
 * Measures how long a tenant waits for its answers while another tenant attacks.
 * An idle process is asked as often at the same time: its waits tell a busy machine from a fault.
 * @param probe what the tenant asks for again and again; a plain item unless it is given
 */
export async function waitsUnder(
  service: ServerProcess,
  workers: number,
  attack: Attack,
  probe: (tenant: Tenant, item: Location) => Sent = (_, { id }) => ({ path: `/locations/${id}` }),
): Promise<Course> {
  const number = ++tenants
  const [attacker, other] = await Promise.all(
    ['attacker', 'other'].map((name) => foundTenant(name, `${name}-${number}-${workers}`)),
  )
  const item = await given(Location, { name: 'Quiet', organizationId: other.organization.id })
  const asked = probe(other, item)
  const users = Object.values(other.users)
  const lines = await openLines(service, workers)
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const send: Ask = (sent) => exchange(service, agent, sent, times.attack)
  const idle = await startIdle()
  let on = true
  try {
    const measure = (at: { port: number }, more: Agent[]) =>
      Promise.all(more.map((line, index) => probing(at, line, { user: users[index % 3], ...asked }, () => on)))
    // Statements, code and connections are warm when the attack begins.
    const warm = lines.map((line, index) => exchange(service, line, { user: users[index % 3], ...asked }, 10_000))
    await Promise.all(warm)
    const attacked = measure(service, lines)
    const calm = measure(idle, idle.lines)
    await Promise.race([attack(send, attacker), sleep(times.attack, undefined, { ref: false })])
    on = false
    return { calm: summary((await calm).flat()), attacked: summary((await attacked).flat()) }
  } finally {
    on = false
    for (const line of [agent, ...lines, ...idle.lines]) line.destroy()
    idle.process.kill('SIGKILL')
  }
}

/** A process that answers at once, whatever it is asked. */
async function startIdle() {
  const code = `require('http').createServer((request, response) => request.resume().on('end', () => response.end()))
    .listen(0, '127.0.0.1', function () { console.log(this.address().port) })`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = await once(child.stdout, 'data')
  const lines = Array.from({ length: perWorker }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  return { process: child, port: Number(port), lines }
}

/** Asks over one connection, request after request, and gives back how long each took. */
async function probing(at: { port: number }, line: Agent, sent: Sent, on: () => boolean): Promise<number[]> {
  const waits: number[] = []
  while (on()) {
    const began = performance.now()
    const { status, text } = await exchange(at, line, sent, times.patience)
    if (status === 429 || status >= 500) throw new Error(`The other tenant got ${status}: ${text}`)
    waits.push(performance.now() - began)
    await sleep(times.pause)
  }
  return waits
}

/** Connections that last, some to each process: another process cannot answer for a blocked one. */
async function openLines(service: ServerProcess, workers: number): Promise<Agent[]> {
  const byProcess = new Map<unknown, Agent[]>()
  for (let number = 0; number < 100; number++) {
    const line = new Agent({ keepAlive: true, maxSockets: 1 })
    const { headers } = await exchange(service, line, { path: '/', headers: { Connection: 'keep-alive' } }, 10_000)
    const process = await processOf(service, headers['x-request-id'])
    const known = byProcess.get(process) ?? []
    if (known.length < perWorker) byProcess.set(process, [...known, line])
    else line.destroy()
    const found = [...byProcess.values()]
    if (found.length === workers && found.every(({ length }) => length === perWorker)) return found.flat()
  }
  throw new Error(`No connection reached all of the ${workers} processes.`)
}

/** The log tells which process answered a request. */
async function processOf(service: ServerProcess, id: unknown): Promise<unknown> {
  for (const end = Date.now() + 5000; Date.now() < end; await sleep(5)) {
    const line = service.output
      .join('')
      .split('\n')
      .find((text) => text.includes(`"request":"${id}"`))
    if (line) return JSON.parse(line).pid
  }
  throw new Error(`The log has no line of the request ${id}.`)
}

async function exchange(at: { port: number }, agent: Agent, sent: Sent, patience: number): Promise<Answer> {
  const { user, method = sent.body === undefined ? 'GET' : 'POST', path, headers, body } = sent
  const all = {
    ...(user && { Authorization: `Bearer ${await tokenOf(user)}` }),
    ...(body !== undefined && { 'Content-Type': 'application/ld+json', 'Content-Length': Buffer.byteLength(body) }),
    ...headers,
  }
  return new Promise((resolve) => {
    const gone = () => resolve({ status: 0, headers: {}, text: '' })
    const options = { host: '127.0.0.1', port: at.port, method, path, headers: all, agent }
    const asked = request(options, (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece) => pieces.push(piece))
      response.on('error', gone)
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, text: Buffer.concat(pieces).toString() })
      })
    })
    asked.on('error', gone)
    const late = setTimeout(() => asked.destroy(), patience)
    asked.on('close', () => clearTimeout(late))
    asked.end(body)
  })
}

function summary(waits: number[]): Waits {
  const sorted = waits.sort((one, other) => one - other)
  const at = (share: number) => Math.round(sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)])
  return { count: sorted.length, p99: at(0.99), max: at(1) }
}
