import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { ClientConnection } from './client-connection.ts'
import { ServerConnection, type Statement } from './server-connection.ts'

interface Options {
  /** The socket of Postgres. */
  socket: string
  user: string
  database: string
  /** The most connections to Postgres. */
  size?: number
  /** Whether clients' statements are renamed, as with `max_prepared_statements` of PgBouncer. */
  renames?: boolean
  /** Startup parameters that are accepted without effect. */
  ignored?: string[]
  /** Whether a connection loses its session state after each transaction, as with `server_reset_query_always`. */
  resets?: boolean
}

/**
 * A pooler in transaction mode, like PgBouncer 1.21 and later. It never gives a client the same connection of Postgres for two
 * transactions in a row, so a session's state cannot survive by luck.
 */
export class Pooler {
  readonly renames: boolean
  readonly ignored: string[]
  /** The parameters that Postgres reports at a startup. */
  readonly parameters = new Map<string, string>()
  readonly servers = new Set<ServerConnection>()
  readonly clients = new Set<ClientConnection>()
  /** The number of transactions that clients have run. */
  transactions = 0
  port = 0
  private readonly idle: ServerConnection[] = []
  private waiting: (() => void)[] = []
  private readonly statements = new Map<string, Statement>()
  private server: Server | undefined
  private opening = 0

  constructor(private readonly options: Options) {
    this.renames = options.renames ?? true
    this.ignored = options.ignored ?? []
  }

  get url(): string {
    const { user, database } = this.options
    return `postgres://${user}@127.0.0.1:${this.port}/${database}`
  }

  async open(): Promise<this> {
    const first = await this.connect()
    for (const [name, value] of first.parameters) this.parameters.set(name, value)
    this.idle.push(first)
    this.server = createServer((socket) => {
      const client = new ClientConnection(this, socket.setNoDelay())
      this.clients.add(client)
      socket.on('close', () => this.clients.delete(client))
    }).listen(this.port, '127.0.0.1')
    await once(this.server, 'listening')
    this.port = (this.server.address() as AddressInfo).port
    return this
  }

  async close(): Promise<void> {
    this.server?.close()
    for (const client of this.clients) client.close()
    for (const server of this.servers) server.close()
  }

  /** A free connection of Postgres other than a client's last one. */
  async lend(last: ServerConnection | undefined): Promise<ServerConnection> {
    for (;;) {
      const index = this.idle.findIndex((server) => server !== last)
      if (index >= 0) {
        this.transactions++
        return this.idle.splice(index, 1)[0]
      }
      if (this.servers.size + this.opening < (this.options.size ?? 30)) this.idle.push(await this.connect())
      else await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
  }

  giveBack(server: ServerConnection): void {
    if (!this.servers.has(server)) return
    server.events = { reply: () => {}, idle: () => this.free(server), closed: () => {} }
    if (this.options.resets) {
      server.prepared.clear()
      server.run('DISCARD ALL')
    } else this.free(server)
  }

  /** Cancels the statement of the client that has a key. */
  cancel(key: Buffer): void {
    for (const client of this.clients) if (client.key.equals(key)) client.server?.cancel()
  }

  /** The statement of a text and its types. */
  statement(parse: Buffer): Statement {
    const key = parse.toString('latin1')
    const known = this.statements.get(key)
    if (known) return known
    const made = { name: `POOLER_${this.statements.size + 1}`, parse: Buffer.from(parse) }
    this.statements.set(key, made)
    return made
  }

  private free(server: ServerConnection): void {
    server.events = undefined
    this.idle.push(server)
    this.wake()
  }

  private wake(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const look of waiting) look()
  }

  private async connect(): Promise<ServerConnection> {
    const { socket, user, database } = this.options
    this.opening++
    try {
      const server = await ServerConnection.open(socket, { user, database }, () => {
        this.servers.delete(server)
        const index = this.idle.indexOf(server)
        if (index >= 0) this.idle.splice(index, 1)
        this.wake()
      })
      this.servers.add(server)
      return server
    } finally {
      this.opening--
    }
  }
}
