import type { FileHandle } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { createGunzip, createGzip } from 'node:zlib'
import { Decrypter, Encrypter } from 'age-encryption'
import { quote } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'
import { type Header, readHeader, writeHeader } from './header.ts'
import { headerFile } from './parts.ts'
import { scryptIdentity, scryptRecipient } from './scrypt-recipient.ts'
import { type Entry, readTar, writeTar } from './tar.ts'

/** Rows are text, which the fastest level shrinks nearly as well as slower ones. */
const gzipLevel = 1

/** The base-2 logarithm of the cost of a guess at the passphrase; that of the tool `age`. It takes 256 MB of memory. */
const workFactor = 18

/** Writes a backup: its header as text, then an age file with a compressed tar. `age` and `tar` open it, too. */
export async function* sealArchive(
  header: Header,
  entries: AsyncIterable<Entry>,
  passphrase: string,
  cost = workFactor,
): AsyncGenerator<Uint8Array> {
  const text = writeHeader(header)
  const all = async function* (): AsyncGenerator<Entry> {
    yield { name: headerFile, content: Buffer.from(text) }
    yield* entries
  }
  const encrypter = new Encrypter()
  encrypter.addRecipient(scryptRecipient(passphrase, cost))
  yield Buffer.from(text)
  const compressed = pipeline(Readable.from(writeTar(all())), createGzip({ level: gzipLevel }), () => {})
  yield* await encrypter.encrypt(webStream(compressed))
}

/** A backup whose passphrase is known. */
export class OpenArchive {
  private constructor(
    readonly header: Header,
    private readonly file: FileHandle,
    private readonly path: string,
    private readonly text: string,
    private readonly fileKey: Uint8Array,
  ) {}

  /** @throws StartError where the file is no backup, or the passphrase is wrong */
  static async open(file: FileHandle, path: string, passphrase: string): Promise<OpenArchive> {
    const { header, text } = await readHeader(file, path)
    const decrypter = new Decrypter()
    decrypter.addIdentity(scryptIdentity(passphrase))
    const start = Buffer.byteLength(text)
    try {
      const fileKey = await decrypter.decryptHeader(await ageHeader(file, start))
      return new OpenArchive(header, file, path, text, fileKey)
    } catch (error) {
      throw new StartError(`The passphrase is wrong, or the start of ${quote(path)} is damaged.`, { cause: error })
    }
  }

  /** The files of the archive. @throws StartError where the backup was cut or altered; the files before that are genuine */
  async *entries(): AsyncGenerator<Entry> {
    try {
      const entries = readTar(await this.decrypt())
      const { value: first } = await entries.next()
      if (first?.name !== headerFile || first.content.toString() !== this.text)
        throw new Error('The header differs from its copy.')
      yield* entries
    } catch (error) {
      const problem = `${quote(this.path)} was cut, damaged or altered. Use another copy of the backup.`
      throw new StartError(problem, { cause: error })
    }
  }

  private async decrypt(): Promise<AsyncIterable<Uint8Array>> {
    const decrypter = new Decrypter()
    // The key of the file is known, so the slow derivation from the passphrase is not repeated.
    decrypter.addIdentity({ unwrapFileKey: () => this.fileKey })
    const start = Buffer.byteLength(this.text)
    const sealed = this.file.createReadStream({ start, autoClose: false, highWaterMark: 262_144 })
    const opened = await decrypter.decrypt(webStream(sealed))
    return pipeline(Readable.from(opened), createGunzip(), () => {})
  }
}

/** The types of the DOM, which age-encryption uses, and those of Node describe the same class. */
function webStream(bytes: AsyncIterable<Uint8Array>): globalThis.ReadableStream<Uint8Array> {
  return ReadableStream.from(bytes) as globalThis.ReadableStream<Uint8Array>
}

const maxAgeHeaderBytes = 4096

/** The header of an age file: lines of text, of which the last starts with three dashes. */
async function ageHeader(file: FileHandle, start: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(maxAgeHeaderBytes), 0, maxAgeHeaderBytes, start)
  const [header] = /^age[\s\S]*?\n--- .+\n/.exec(buffer.toString('latin1', 0, bytesRead)) ?? []
  if (header === undefined) throw new Error('The encrypted part has no header.')
  return Buffer.from(header, 'latin1')
}
