import { connect, type Socket } from 'node:net'

/** A request that is sent repeatedly. */
export interface BenchRequest {
  method: string
  path: string
  headers: Record<string, string>
  /** Makes the headers that depend on the body, such as a signature. */
  sign?(body: string): Record<string, string>
  /** A function makes each body another one: a PATCH without a change would write nothing. */
  body?: string | ((turn: number) => string)
  /** The expected status. */
  status: number
}

interface Load {
  requests: number
  seconds: number
  /** Milliseconds, in ascending order. */
  latencies: Float64Array
}

interface BenchResponse {
  status: number
  head: string
  body: string
}

/** How long requests are sent: for a number of seconds, or until a number of requests is sent. */
export interface LoadOptions {
  connections: number
  seconds: number
  /** The most requests; without it only the time counts. */
  most?: number
}

/**
 * Sends requests in turn, each connection one at a time. It writes and reads sockets itself, because Node's HTTP client takes more
 * CPU time than the fastest server here.
 * @throws Error when a response has another status
 */
export async function load(
  port: number,
  requests: BenchRequest[],
  { connections, seconds, most = Number.POSITIVE_INFINITY }: LoadOptions,
): Promise<Load> {
  const messages = requests.map((request) => {
    const bytes = typeof request.body === 'function' ? undefined : messageOf(request, port)
    return { bytes: () => bytes ?? messageOf(request, port, turn++), status: request.status }
  })
  const opened = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)))
  const latencies: number[] = []
  let next = 0
  const start = performance.now()
  const end = start + seconds * 1000
  await Promise.all(
    opened.map(async (connection) => {
      for (let sent = performance.now(); sent < end && next < most; ) {
        const { bytes, status } = messages[next++ % messages.length]
        const response = await connection.exchange(bytes())
        if (statusOf(response.head) !== status) throw unexpected(status, response)
        const received = performance.now()
        latencies.push(received - sent)
        sent = received
      }
    }),
  )
  const elapsed = performance.now() - start
  for (const connection of opened) connection.close()
  return { requests: latencies.length, seconds: elapsed / 1000, latencies: Float64Array.from(latencies).sort() }
}

/** Sends one request. */
export async function send(port: number, request: Omit<BenchRequest, 'status'>): Promise<BenchResponse> {
  const connection = await Connection.open(port)
  const { head, body } = await connection.exchange(messageOf(request, port))
  connection.close()
  return { status: statusOf(head), head, body: body.toString() }
}

/** The value of a header, from the head of a response. */
export function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`\r\n${name}: *([^\r]+)`, 'i').exec(head)?.[1]
}

/** Counts the bodies that a function has made. */
let turn = 1

function messageOf(request: Omit<BenchRequest, 'status'>, port: number, turn = 0): Buffer {
  const { method, path, headers, sign, body: content = '' } = request
  const body = typeof content === 'function' ? content(turn) : content
  const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  const lines = Object.entries({
    Host: `127.0.0.1:${port}`,
    ...headers,
    ...sign?.(body),
    ...length,
  })
  const head = [`${method} ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const statusOf = (head: string) => Number(head.slice(9, 12))

function unexpected(status: number, { head, body }: { head: string; body: Buffer }): Error {
  return new Error(`Expected ${status}, got ${statusOf(head)}: ${body}`)
}

interface RawResponse {
  head: string
  body: Buffer
}

/** A connection that stays open and has one request at a time. */
class Connection {
  private received: Buffer = Buffer.alloc(0)
  private settle: { resolve(response: RawResponse): void; reject(error: Error): void } | undefined
  private readonly socket: Socket

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
    const fail = (error = new Error('The server closed a connection.')) => this.settle?.reject(error)
    socket.on('error', fail)
    socket.on('close', () => fail())
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').setNoDelay()
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Connection(socket)))
    })
  }

  exchange(message: Buffer): Promise<RawResponse> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject }
      this.socket.write(message)
    })
  }

  close(): void {
    this.settle = undefined
    this.socket.destroy()
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk])
    const bodyAt = this.received.indexOf('\r\n\r\n') + 4
    if (bodyAt < 4) return
    const head = this.received.toString('latin1', 0, bodyAt)
    const body = this.received.subarray(bodyAt)
    if (!isComplete(head, body)) return
    this.received = Buffer.alloc(0)
    this.settle?.resolve({ head, body })
  }
}

/** Whether a body has all its bytes. Servers here end a chunked body without trailers. */
function isComplete(head: string, body: Buffer): boolean {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return body.length >= Number(length)
  return !/\r\ntransfer-encoding: *chunked/i.test(head) || body.subarray(-5).equals(lastChunk)
}

const lastChunk = Buffer.from('0\r\n\r\n')
