/** A message of the protocol: its type, and all of its bytes. */
export interface Message {
  type: string
  bytes: Buffer
}

/** Cuts the bytes of a connection into messages. */
export class MessageReader {
  private rest: Buffer = Buffer.alloc(0)

  /** @param untyped whether the first message has no type, as a client's startup message */
  constructor(private untyped = false) {}

  *read(chunk: Buffer): Generator<Message> {
    this.rest = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk
    for (;;) {
      const at = this.untyped ? 0 : 1
      if (this.rest.length < at + 4) return
      const end = at + this.rest.readInt32BE(at)
      if (this.rest.length < end) return
      const bytes = this.rest.subarray(0, end)
      this.rest = this.rest.subarray(end)
      yield { type: this.untyped ? '' : String.fromCharCode(bytes[0]), bytes }
    }
  }

  /** The startup is over: each further message has a type. */
  expectTypes(): void {
    this.untyped = false
  }
}

export function messageOf(type: string, ...parts: (string | number | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map(bytesOf))
  const head = Buffer.alloc(type.length + 4)
  head.write(type, 'latin1')
  head.writeInt32BE(body.length + 4, type.length)
  return Buffer.concat([head, body])
}

/** A text ends with a zero, and a number has four bytes. */
function bytesOf(part: string | number | Buffer): Buffer {
  if (typeof part === 'string') return Buffer.from(`${part}\0`)
  if (typeof part === 'object') return part
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(part)
  return bytes
}

/** The texts at the start of a message's body, as many as are asked for, and the offset behind them. */
export function textsOf({ bytes }: Message, count: number, start = 5): { texts: string[]; end: number } {
  const texts: string[] = []
  let at = start
  while (texts.length < count && at < bytes.length) {
    const end = bytes.indexOf(0, at)
    texts.push(bytes.toString('utf8', at, end))
    at = end + 1
  }
  return { texts, end: at }
}

export function errorOf(severity: 'ERROR' | 'FATAL', code: string, text: string): Buffer {
  return messageOf('E', `S${severity}`, `V${severity}`, `C${code}`, `M${text}`, Buffer.of(0))
}

export const ready = messageOf('Z', Buffer.from('I'))
export const parseComplete = messageOf('1')
export const closeComplete = messageOf('3')

/** A server's answer to a startup message or to `SHOW`: `S` has the name and the value of a parameter. */
export function parameterOf(message: Message): [name: string, value: string] {
  return textsOf(message, 2).texts as [string, string]
}

/** The numbers by which a client tells its first message apart. */
export const codes = { cancel: 80877102, ssl: 80877103, gss: 80877104, version3: 196608 }
