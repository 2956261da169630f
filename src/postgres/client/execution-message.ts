/** A prepared statement and its values. */
interface Execution {
  statement: string
  values: (string | null)[]
}

/** Execute, without a limit of rows. */
const execute = Buffer.from([69, 0, 0, 0, 9, 0, 0, 0, 0, 0])

/** Sync, which ends an implicit transaction. */
const sync = Buffer.from([83, 0, 0, 0, 4])

/** Bind and Execute of each statement in turn, and Sync, in one chunk (PostgreSQL documentation, "Message Formats"). */
export function executionMessage(executions: Execution[]): Buffer {
  const sizes = executions.map(bindSize)
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size + execute.length, sync.length))
  let at = 0
  for (const [n, each] of executions.entries()) {
    at = writeBind(bytes, at, sizes[n], each)
    at += execute.copy(bytes, at)
  }
  sync.copy(bytes, at)
  return bytes
}

function bindSize({ statement, values }: Execution): number {
  let size = 13 + Buffer.byteLength(statement)
  for (const value of values) size += 4 + (value === null ? 0 : Buffer.byteLength(value))
  return size
}

/** @returns the offset after the message */
function writeBind(bytes: Buffer, start: number, size: number, { statement, values }: Execution): number {
  bytes[start] = 66
  let at = bytes.writeInt32BE(size - 1, start + 1)
  // The unnamed portal, and the name of the statement.
  bytes[at++] = 0
  at += bytes.write(statement, at)
  bytes[at++] = 0
  // No formats, because all values are texts.
  at = bytes.writeInt16BE(0, at)
  at = bytes.writeInt16BE(values.length, at)
  for (const value of values) {
    const length = value === null ? -1 : bytes.write(value, at + 4)
    bytes.writeInt32BE(length, at)
    at += 4 + Math.max(0, length)
  }
  // No formats of columns either.
  return bytes.writeInt16BE(0, at)
}
