/** A file of an archive. It is in memory as a whole, so its writer splits long content. */
export interface Entry {
  name: string
  content: Buffer
}

const blockBytes = 512

/** Longer files are not of this application. */
const maxContentBytes = 64 * 1024 * 1024

/** Writes files in the format ustar (POSIX.1-1988), which every tar reads. */
export async function* writeTar(entries: AsyncIterable<Entry> | Iterable<Entry>): AsyncGenerator<Buffer> {
  for await (const { name, content } of entries) {
    yield headerOf(name, content.length)
    yield content
    yield Buffer.alloc(paddingOf(content.length))
  }
  yield Buffer.alloc(2 * blockBytes)
}

/** Reads the files of such an archive. @throws Error where the archive has no end or another form */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  const bytes = new ByteReader(source)
  try {
    for (;;) {
      const header = await bytes.read(blockBytes)
      if (header.every((byte) => byte === 0)) break
      if (checksumOf(header) !== octal(header, 148, 8)) throw new Error('A header of the archive is wrong.')
      const length = octal(header, 124, 12)
      if (!(length <= maxContentBytes)) throw new Error('A file of the archive is too long.')
      const name = header.toString('utf8', 0, 100).replace(/\0.*$/s, '')
      const content = await bytes.read(length)
      await bytes.read(paddingOf(length))
      yield { name, content }
    }
    await bytes.drain()
  } finally {
    await bytes.close()
  }
}

/** Reads numbers of bytes from chunks of any length. */
class ByteReader {
  private readonly chunks: AsyncIterator<Uint8Array>
  private rest: Uint8Array[] = []
  private length = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.chunks = source[Symbol.asyncIterator]()
  }

  async read(count: number): Promise<Buffer> {
    while (this.length < count) {
      const { done, value } = await this.chunks.next()
      if (done) throw new Error('The archive ends too early.')
      this.rest.push(value)
      this.length += value.length
    }
    const all = Buffer.concat(this.rest, this.length)
    this.rest = [all.subarray(count)]
    this.length -= count
    return all.subarray(0, count)
  }

  /** Reads to the end, because the last bytes prove that the rest is whole. */
  async drain(): Promise<void> {
    while (!(await this.chunks.next()).done);
  }

  /** Ends the source, also where its rest was not read. */
  async close(): Promise<void> {
    await this.chunks.return?.()
  }
}

function headerOf(name: string, length: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`The name ${name} is too long for an archive.`)
  const header = Buffer.alloc(blockBytes)
  header.write(name, 0)
  const digits = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`
  header.write(`${digits(0o600, 8)}${digits(0, 8)}${digits(0, 8)}${digits(length, 12)}${digits(0, 12)}`, 100)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** The sum of the bytes of a header, with spaces for the sum itself. */
function checksumOf(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0)
}

function octal(header: Buffer, start: number, width: number): number {
  return Number.parseInt(header.toString('latin1', start, start + width), 8)
}

function paddingOf(length: number): number {
  return (blockBytes - (length % blockBytes)) % blockBytes
}
