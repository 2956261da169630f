import { connect, type Socket } from 'node:net'
import { codes, errorOf, type Message, MessageReader, messageOf, parameterOf, parseComplete } from './messages.ts'

/** A statement of clients. All connections of Postgres know it by one name, however clients name it. */
export interface Statement {
  name: string
  /** The message that prepares it, without a name. */
  parse: Buffer
}

/** A reply that a client waits for, in the order of its requests. */
interface Expected {
  /** The types of the messages that end the reply. */
  until: string
  /** Whether the client did not ask for it. */
  hidden?: boolean
  /** A reply that Postgres is not asked for. */
  own?: Buffer
  /** The statement that the reply says to be prepared. */
  statement?: Statement
}

interface Events {
  /** Takes a message for the client. */
  reply(bytes: Buffer): void
  /** Postgres has ended a transaction, and no reply is expected. */
  idle(): void
  closed(): void
}

/** A connection of the pooler to Postgres. It serves one transaction of a client after the other. */
export class ServerConnection {
  readonly parameters = new Map<string, string>()
  readonly prepared = new Set<Statement>()
  events: Events | undefined
  private readonly socket: Socket
  private readonly reader = new MessageReader()
  private expected: Expected[] = []
  private key = Buffer.alloc(8)
  private status = 'I'

  private constructor(
    private readonly path: string,
    private readonly onClose: () => void,
  ) {
    this.socket = connect(path)
    this.socket.on('data', (chunk) => {
      for (const message of this.reader.read(chunk)) this.receive(message)
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.onClose()
      this.events?.closed()
    })
  }

  static async open(path: string, startup: Record<string, string>, onClose: () => void): Promise<ServerConnection> {
    const server = new ServerConnection(path, onClose)
    const pairs = Object.entries(startup).flat()
    await new Promise<void>((resolve, reject) => {
      server.events = { reply: () => {}, idle: resolve, closed: () => reject(new Error('Postgres refuses.')) }
      server.expected.push({ until: 'Z', hidden: true })
      server.socket.write(messageOf('', codes.version3, ...pairs, Buffer.of(0)))
    })
    server.events = undefined
    return server
  }

  get inTransaction(): boolean {
    return this.status !== 'I' || this.expected.length > 0
  }

  /** Sends a message whose reply ends with one of some types. */
  send(bytes: Buffer, until: string, { hidden, statement }: Pick<Expected, 'hidden' | 'statement'> = {}): void {
    if (until) this.expected.push({ until, hidden, statement })
    this.socket.write(bytes)
  }

  /** Prepares a statement where it is not yet prepared. @param hidden whether the client does not wait for that */
  prepare(statement: Statement, hidden: boolean): void {
    if (this.prepared.has(statement)) {
      if (!hidden) this.answer(parseComplete)
      return
    }
    this.prepared.add(statement)
    this.send(messageOf('P', statement.name, statement.parse), '1', { hidden, statement })
  }

  /** Runs statements of the pooler's own before anything of the client. */
  run(sql: string): void {
    this.send(messageOf('Q', sql), 'Z', { hidden: true })
  }

  /** Gives a reply that Postgres has no part in, after all that are expected before it. */
  answer(own: Buffer): void {
    this.expected.push({ until: '', own })
    this.giveOwnReplies()
  }

  /** Asks Postgres to cancel the statement. */
  cancel(): void {
    const socket = connect(this.path)
    socket.on('error', () => {})
    socket.end(messageOf('', codes.cancel, this.key))
  }

  close(): void {
    this.socket.destroy()
  }

  private receive(message: Message): void {
    const { type, bytes } = message
    if (type === 'S') this.parameters.set(...parameterOf(message))
    if (type === 'K') this.key = Buffer.from(bytes.subarray(5))
    if (type === 'Z') this.status = String.fromCharCode(bytes[5])
    const [first] = this.expected
    // Postgres skips everything after an error until the next Sync.
    if (type === 'E' && first && first.until !== 'Z') this.forgetUntilSync()
    if (!first?.hidden || type === 'E') this.events?.reply(bytes)
    if (first?.until.includes(type) && type !== 'E') this.expected.shift()
    this.giveOwnReplies()
    if (type === 'Z' && this.status === 'I' && this.expected.length === 0) this.events?.idle()
  }

  private forgetUntilSync(): void {
    while (this.expected.length > 0 && this.expected[0].until !== 'Z') {
      const { statement } = this.expected.shift() as Expected
      if (statement) this.prepared.delete(statement)
    }
  }

  private giveOwnReplies(): void {
    while (this.expected[0]?.own) this.events?.reply((this.expected.shift() as Required<Expected>).own)
  }
}

/** The last message to a client whose connection to Postgres has ended. */
export const crashed = errorOf('FATAL', '08P01', 'server conn crashed?')
