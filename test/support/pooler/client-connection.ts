import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { closeComplete, codes, errorOf, type Message, MessageReader, messageOf, ready, textsOf } from './messages.ts'
import { crashed, type ServerConnection, type Statement } from './server-connection.ts'

/** The startup parameters that PgBouncer accepts: it sets them on each connection of Postgres. */
const tracked = ['client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings', 'application_name']
const trackedName = (name: string) => tracked.find((known) => known.toLowerCase() === name.toLowerCase())

/** The messages that end the reply to a message. Those without a reply are not listed. */
const replies: Record<string, string> = { Q: 'Z', S: 'Z', F: 'Z', P: '1', B: '2', D: 'Tn', E: 'CIs', C: '3' }

/** The connections and statements that clients of a pooler share. */
interface Shared {
  /** Whether statements are renamed. */
  readonly renames: boolean
  /** Startup parameters that are accepted without effect. */
  readonly ignored: string[]
  readonly parameters: Map<string, string>
  lend(last: ServerConnection | undefined): Promise<ServerConnection>
  giveBack(server: ServerConnection): void
  cancel(key: Buffer): void
  statement(parse: Buffer): Statement
}

/** A client of the pooler. Each of its transactions runs on another connection of Postgres than the one before. */
export class ClientConnection {
  /** The number and the secret of a cancel request; no process of Postgres has them. */
  readonly key = randomBytes(8)
  server: ServerConnection | undefined
  private last: ServerConnection | undefined
  private readonly reader = new MessageReader(true)
  private readonly statements = new Map<string, Statement>()
  private readonly settings = new Map<string, string>()
  private waiting: Message[] | undefined
  private started = false

  constructor(
    private readonly pooler: Shared,
    private readonly socket: Socket,
  ) {
    socket.on('data', (chunk) => {
      for (const message of this.reader.read(chunk)) this.receive(message)
    })
    socket.on('error', () => {})
    // Postgres rolls back the transaction of a client that has left.
    socket.on('close', () => this.server?.close())
  }

  close(): void {
    this.socket.destroy()
  }

  private receive(message: Message): void {
    if (!this.started) this.start(message)
    else if (message.type === 'X') this.socket.end()
    else if (this.server) this.forward(message, this.server)
    else if (this.waiting) this.waiting.push(message)
    else this.borrow(message)
  }

  private start({ bytes }: Message): void {
    const code = bytes.readInt32BE(4)
    if (code === codes.ssl || code === codes.gss) return void this.socket.write('N')
    if (code === codes.cancel) {
      this.pooler.cancel(bytes.subarray(8))
      return void this.socket.end()
    }
    const { texts } = textsOf({ type: '', bytes }, Number.POSITIVE_INFINITY, 8)
    const refused = this.takeParameters(texts)
    if (refused) return void this.socket.end(errorOf('FATAL', '08P01', refused))
    for (const [name, value] of this.pooler.parameters)
      if (trackedName(name) && !this.settings.has(name)) this.settings.set(name, value)
    this.started = true
    this.reader.expectTypes()
    const known = [...this.pooler.parameters].map(([name, value]) =>
      messageOf('S', name, this.settings.get(name) ?? value),
    )
    this.socket.write(Buffer.concat([messageOf('R', 0), ...known, messageOf('K', this.key), ready]))
  }

  /** @returns the reason for which PgBouncer refuses a startup message */
  private takeParameters(texts: string[]): string | undefined {
    for (let at = 0; at + 1 < texts.length; at += 2) {
      const [name, value] = texts.slice(at, at + 2)
      if (name === 'user' || name === 'database' || this.pooler.ignored.includes(name)) continue
      const options = name === 'options' ? [...value.matchAll(/-c\s*([^=\s]+)=(\S*)/g)] : []
      for (const [, option, set] of options) {
        if (!trackedName(option)) return `unsupported startup parameter in options: ${option}`
        this.settings.set(trackedName(option) as string, set)
      }
      if (options.length > 0) continue
      if (!trackedName(name)) return `unsupported startup parameter: ${name}`
      this.settings.set(trackedName(name) as string, value)
    }
    return undefined
  }

  /** Keeps messages until a connection of Postgres is free. */
  private borrow(message: Message): void {
    this.waiting = [message]
    this.pooler.lend(this.last).then(
      (server) => {
        const messages = this.waiting ?? []
        this.waiting = undefined
        if (this.socket.destroyed) return this.pooler.giveBack(server)
        this.use(server)
        for (const waited of messages) this.forward(waited, server)
      },
      () => this.socket.end(errorOf('FATAL', '08P01', 'server login has been failing')),
    )
  }

  private use(server: ServerConnection): void {
    this.server = server
    this.last = server
    server.events = {
      reply: (bytes) => this.socket.write(bytes),
      idle: () => {
        this.server = undefined
        this.pooler.giveBack(server)
      },
      closed: () => {
        this.server = undefined
        this.socket.end(crashed)
      },
    }
    const changed = [...this.settings].filter(([name, value]) => server.parameters.get(name) !== value)
    if (changed.length > 0) server.run(changed.map(([name, value]) => `SET ${name} = '${value}'`).join('; '))
  }

  private forward(message: Message, server: ServerConnection): void {
    const { type, bytes } = message
    const isOfStatement = (type === 'D' || type === 'C') && bytes[5] === 0x53
    // A portal stands before the name of a Bind, and a kind before that of a Describe or Close.
    const { texts, end } = textsOf(message, type === 'B' ? 2 : 1, isOfStatement ? 6 : 5)
    const isNamed = (type === 'P' || type === 'B' || isOfStatement) && texts.at(-1) !== ''
    if (isNamed && this.pooler.renames) this.rename(message, { texts, end }, server)
    else server.send(bytes, replies[type] ?? '')
  }

  private rename(
    { type, bytes }: Message,
    { texts, end }: { texts: string[]; end: number },
    server: ServerConnection,
  ): void {
    const name = texts.at(-1) as string
    const statement = type === 'P' ? this.pooler.statement(bytes.subarray(end)) : this.statements.get(name)
    if (type === 'C') {
      this.statements.delete(name)
      server.answer(closeComplete)
    } else if (!statement) {
      this.socket.end(errorOf('FATAL', '26000', `prepared statement did not exist: ${name}`))
    } else if (type === 'P') {
      this.statements.set(name, statement)
      server.prepare(statement, false)
    } else {
      server.prepare(statement, true)
      const kind = type === 'B' ? texts[0] : Buffer.from('S')
      server.send(messageOf(type, kind, statement.name, bytes.subarray(end)), replies[type])
    }
  }
}
