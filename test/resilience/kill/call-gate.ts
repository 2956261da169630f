import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** What is held up: a request, of which nobody ever hears then, or the answer to it. */
type What = 'request' | 'answer'

interface Order {
  what: What
  line: string
  text: string
  reached(): void
}

/** Stands between the server and Stripe, passes everything on, and holds up for ever what it is told to. */
export class CallGate {
  private readonly orders: Order[] = []
  private server: Server | undefined
  url = ''

  constructor(private readonly target: string) {}

  async open(): Promise<void> {
    this.server = createServer(async (asked, answer) => {
      const { method, url, headers } = asked
      const body = await buffer(asked)
      const order = this.take(`${method} ${url}`, body.toString())
      if (order?.what === 'request') return order.reached()
      const passed = request(this.target + url, { method, headers }, (found) => {
        if (order) found.resume().once('end', order.reached)
        else found.pipe(answer.writeHead(found.statusCode as number, found.headers))
      })
      passed.on('error', () => answer.destroy())
      passed.end(body)
    })
    await new Promise<void>((listening) => this.server?.listen(0, '127.0.0.1', listening))
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Holds up the next request of a method and a path in whose body a text stands; resolves once that is done. */
  hold(what: What, line: string, text: string): Promise<void> {
    return new Promise((reached) => this.orders.push({ what, line, text, reached }))
  }

  readonly close = async (): Promise<void> => {
    this.server?.closeAllConnections()
    this.server?.close()
  }

  private take(line: string, body: string): Order | undefined {
    const order = this.orders.find((one) => one.line === line && body.includes(one.text))
    if (order) this.orders.splice(this.orders.indexOf(order), 1)
    return order
  }
}
