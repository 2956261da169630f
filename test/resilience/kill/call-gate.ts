import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A held request never reaches Stripe. A held response never reaches the server. */
type Held = 'request' | 'response'

interface Order {
  held: Held
  line: string
  text: string
  reached(): void
}

/** A proxy between the server and Stripe that can hold a request or a response forever. */
export class CallGate {
  private readonly orders: Order[] = []
  private server: Server | undefined
  url = ''

  constructor(private readonly target: string) {}

  async open(): Promise<void> {
    this.server = createServer(async (incoming, response) => {
      const { method, url, headers } = incoming
      const body = await buffer(incoming)
      const order = this.take(`${method} ${url}`, body.toString())
      if (order?.held === 'request') return order.reached()
      const passed = request(this.target + url, { method, headers }, (answered) => {
        if (order) answered.resume().once('end', order.reached)
        else answered.pipe(response.writeHead(answered.statusCode as number, answered.headers))
      })
      passed.on('error', () => response.destroy())
      passed.end(body)
    })
    await new Promise<void>((listening) => this.server?.listen(0, '127.0.0.1', listening))
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Holds the next call with this method and path whose body contains a text. Resolves when it is held. */
  hold(held: Held, line: string, text: string): Promise<void> {
    return new Promise((reached) => this.orders.push({ held, line, text, reached }))
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
