import type { IncomingMessage, ServerResponse } from 'node:http'
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy'
import { Problem } from '../model/problem.ts'
import { piecesOf } from './read-bytes.ts'

/** The bytes that a form may have in addition to those of its file. */
const framing = 64 * 1024

/** The limits on the parts of a form. An operation ignores fields other than "file", as it does unknown properties of JSON. */
const limits = { files: 1, fields: 10, parts: 11, fieldSize: 1024, headerPairs: 20, headerSize: 4096 }

/**
 * Reads the file of a form (RFC 7578) while it streams in.
 * @param limit the most bytes that the file may have; further bytes are not kept
 * @param admit is called with the fields that come before the file, once its first piece has arrived
 * @throws Problem 400 when the form or its file is missing or broken, 413 when the file is too large, 415 when it is encoded
 */
export async function readUpload(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
  admit?: (fields: Map<string, string>) => Promise<void>,
): Promise<Buffer> {
  const { headers } = request
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Problem(415, 'A form must not be compressed. Send it without a Content-Encoding.')
  const form = new Form(headers as BusboyHeaders, limit)
  let received = 0
  let isAdmitted = admit === undefined
  try {
    for await (const piece of piecesOf(request, response, {
      limit: limit + framing,
      tooLarge: () => tooLarge(limit),
    })) {
      received += piece.length
      form.take(received > limit + framing ? tooLarge(limit) : piece)
      if (isAdmitted || !(await form.hasBegunFile())) continue
      await admit?.(form.fields)
      isAdmitted = true
    }
    if (!isAdmitted) await admit?.(form.fields)
  } catch (error) {
    throw error instanceof Problem ? error : broken()
  }
  return form.end()
}

/** A form that is still streaming in: its parser, the bytes of its file so far, and its first error. */
class Form {
  private readonly parser: BusboyInstance
  private readonly pieces: Buffer[] = []
  readonly fields = new Map<string, string>()
  private begun = false
  private readonly done: Promise<void>
  private fault: Problem | undefined

  constructor(headers: BusboyHeaders, limit: number) {
    this.parser = parserOf(headers, limit)
    this.done = new Promise((settle) => {
      const fail = (problem: Problem) => {
        this.fault ??= problem
        settle()
      }
      this.parser
        .on('file', (name, stream) => {
          this.begun = true
          if (name !== 'file') fail(missing())
          stream.on('data', (piece) => this.pieces.push(piece))
          stream.on('limit', () => fail(tooLarge(limit)))
          stream.on('error', () => fail(broken()))
        })
        .on('field', (name, value) => this.fields.set(name, String(value)))
        .on('filesLimit', () =>
          fail(new Problem(400, 'The form has more than one file: send one, in the field "file".')),
        )
        .on('fieldsLimit', () => fail(tooManyParts()))
        .on('partsLimit', () => fail(tooManyParts()))
        .on('error', () => fail(broken()))
        .on('finish', settle)
    })
  }

  /** Parses the next piece of the body. @throws Problem the first error of the form */
  take(piece: Buffer | Problem): void {
    if (piece instanceof Problem) this.fault ??= piece
    if (this.fault) throw this.fault
    this.parser.write(piece)
  }

  /** Whether its file has begun, once the parser has reported the parts so far. */
  async hasBegunFile(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve))
    return this.begun
  }

  /** Ends the form and returns the bytes of its file. @throws Problem */
  async end(): Promise<Buffer> {
    this.parser.end()
    await this.done
    const bytes = Buffer.concat(this.pieces)
    if (this.fault || bytes.length === 0) throw this.fault ?? missing()
    return bytes
  }
}

function parserOf(headers: BusboyHeaders, limit: number): BusboyInstance {
  try {
    return new Busboy({ headers, limits: { ...limits, fileSize: limit } })
  } catch {
    throw new Problem(400, 'The Content-Type must name the boundary between the parts of the form (RFC 7578 §4.1).')
  }
}

const missing = () => new Problem(400, 'The form has no file, or an empty one, in the field "file".')

const broken = () => new Problem(400, 'The body is not a whole multipart/form-data form (RFC 7578).')

const tooManyParts = () =>
  new Problem(400, 'The form has too many parts: one file, in the field "file", is all it takes.')

const tooLarge = (limit: number) => new Problem(413, `The file is too large. The limit is ${limit / 1024 / 1024} MiB.`)
