import type { IncomingMessage, ServerResponse } from 'node:http'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { Problem } from '../model/problem.ts'

const decoders = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress }

interface Bounds {
  /** The most bytes that a body may have, both as received and after decoding. */
  limit: number
  /** Whether a Content-Encoding is refused. */
  plain?: boolean
  /** The error for a body that exceeds the limit. */
  tooLarge(): Problem
}

/**
 * Reads and decodes a body.
 * @throws Problem 413 as soon as the body exceeds the limit, 415 for an unknown encoding, 400 when the body ends early
 */
export async function readBytes(request: IncomingMessage, response: ServerResponse, bounds: Bounds): Promise<Buffer> {
  const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  const decode = bounds.plain ? undefined : decoders[coding as keyof typeof decoders]
  if (coding !== 'identity' && !decode) throw unknownCoding(coding, bounds.plain ? [] : Object.keys(decoders))
  try {
    if (!decode) return await collect(request, response, bounds)
    const pieces: Buffer[] = []
    let size = 0
    for await (const piece of piecesOf(request, response, bounds, decode())) {
      size += piece.length
      if (size > bounds.limit) throw bounds.tooLarge()
      pieces.push(piece)
    }
    return Buffer.concat(pieces, size)
  } catch (error) {
    throw error instanceof Problem ? error : broken(coding)
  }
}

/** Reads a body that has no coding. Most bodies are one piece, for which an iterator costs more than all else. */
function collect(request: IncomingMessage, response: ServerResponse, { limit, tooLarge }: Bounds): Promise<Buffer> {
  expectBody(request, response, { limit, tooLarge })
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let size = 0
    const settle = (error?: unknown) => {
      request.off('data', onData).off('end', settle).off('error', settle).off('close', onClose)
      if (error === undefined) return resolve(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, size))
      request.pause()
      reject(error)
    }
    const onClose = () => settle(closedEarly())
    const onData = (piece: Buffer) => {
      size += piece.length
      pieces.push(piece)
      if (size > limit) settle(tooLarge())
    }
    if (request.destroyed) onClose()
    else request.on('data', onData).on('end', settle).on('error', settle).on('close', onClose)
  })
}

/**
 * The pieces of a body as they arrive. Reading the first piece sends `100 Continue` to a client that waits for it.
 * By then, every check that needs no body has passed (RFC 9110 §10.1.1).
 */
export async function* piecesOf(
  request: IncomingMessage,
  response: ServerResponse,
  { limit, tooLarge }: Bounds,
  decoder?: ReturnType<(typeof decoders)[keyof typeof decoders]>,
): AsyncGenerator<Buffer> {
  expectBody(request, response, { limit, tooLarge })
  if (!decoder) return yield* request.iterator({ destroyOnReturn: false })
  // A destroyed request emits no further event, so the decoder would wait for ever.
  if (request.destroyed) throw closedEarly()
  request.on('error', (error) => decoder.destroy(error))
  yield* request.pipe(decoder)
}

function closedEarly(): Error {
  return new Error('The connection was closed before the end of the body.')
}

/** Checks the announced size of a body, and sends `100 Continue` to a client that waits for it. */
function expectBody(request: IncomingMessage, response: ServerResponse, { limit, tooLarge }: Bounds): void {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge()
  if (awaitsContinue(request)) {
    response.removeHeader('Connection')
    response.writeContinue()
  }
}

/** Whether the client sends its body only after `100 Continue`. HTTP/1.0 has no such status. */
export function awaitsContinue({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect?.toLowerCase() === '100-continue'
}

function unknownCoding(coding: string, known: string[]): Problem {
  const list = ['identity', ...known].join(', ')
  const detail = `The Content-Encoding "${coding.slice(0, 100)}" is not understood here. Send one of: ${list}.`
  return new Problem(415, detail, { 'Accept-Encoding': list })
}

function broken(coding: string): Problem {
  const reason = coding === 'identity' ? 'ended too early' : `is not valid ${coding}`
  return new Problem(400, `The body ${reason}. Send all of it.`)
}
