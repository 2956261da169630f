/** Execute (without a limit of rows) and Sync, which end each message. */
const ending = Buffer.from([69, 0, 0, 0, 9, 0, 0, 0, 0, 0, 83, 0, 0, 0, 4])

/** Bind, Execute and Sync of a prepared statement in one chunk (PostgreSQL documentation, "Message Formats"). */
export function execution(name: string, values: (string | null)[]): Buffer {
  let size = 13 + Buffer.byteLength(name)
  for (const value of values) size += 4 + (value === null ? 0 : Buffer.byteLength(value))
  const bytes = Buffer.allocUnsafe(size + ending.length)
  bytes[0] = 66
  let at = bytes.writeInt32BE(size - 1, 1)
  // The unnamed portal, and the name of the statement.
  bytes[at++] = 0
  at += bytes.write(name, at)
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
  at = bytes.writeInt16BE(0, at)
  ending.copy(bytes, at)
  return bytes
}
