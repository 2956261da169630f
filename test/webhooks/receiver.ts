import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { openWorld } from '../support/world.ts'
import { selfSigned } from './self-signed.ts'

const { ending } = await openWorld()

interface Message {
  headers: IncomingHttpHeaders
  body: string
}

/** A server that receives webhooks, at the name that the configuration of tests allows. */
export class Receiver {
  readonly messages: Message[] = []
  /** The connections that it has accepted. */
  connections = 0
  /** How it answers; by default with 204. */
  answer: (response: ServerResponse) => unknown = (response) => response.writeHead(204).end()
  port = 0
  private server: Server | undefined

  async start({ tls = false } = {}): Promise<this> {
    const receive: RequestListener = async (request, response) => {
      this.messages.push({ headers: request.headers, body: await text(request) })
      this.answer(response)
    }
    const server = tls ? createTlsServer(selfSigned, receive) : createServer(receive)
    server.on('connection', () => {
      this.connections += 1
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    this.port = (server.address() as AddressInfo).port
    this.server = server
    ending.push(() => this.stop())
    return this
  }

  /** Closes its connections, also those that wait for an answer. */
  async stop(): Promise<void> {
    this.server?.close()
    this.server?.closeAllConnections()
  }

  get url(): string {
    return `http://localhost:${this.port}/`
  }

  get ids(): unknown[] {
    return this.messages.map(({ headers }) => headers['webhook-id'])
  }

  /** Checks a message as its receiver would, and returns its content. @throws an Error where the signature is wrong */
  verified(secret: string, { headers, body } = this.messages[0]) {
    return new Webhook(secret).verify(body, headers as Record<string, string>) as {
      type: string
      timestamp: string
      data: Record<string, unknown>
    }
  }
}
