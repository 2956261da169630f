import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Coding } from './headers/content-coding.ts'
import { digestOf } from './headers/digest.ts'

/** A text that does not change while the process runs. Each of its codings is made once, on first use, and kept with it. */
export interface Constant {
  readonly text: string
}

/** The bytes of a constant in one coding, with their `Repr-Digest`. */
interface Content {
  bytes: string | Buffer
  digest: string
}

const kept = new WeakMap<Constant, Map<Coding | undefined, Promise<Content>>>()

const run = { br: promisify(brotliCompress), gzip: promisify(gzip) }

/** The best quality of brotli takes 2 s for a megabyte, for which the first client would wait. */
const maxBestBytes = 512 * 1024

/** Compresses a body in the thread pool, at a quality that costs little. */
export function compress(body: string | Buffer, coding: Coding): Promise<Buffer> {
  return coding === 'br' ? brotli(body, 4) : run.gzip(body, { level: 6 })
}

/** A constant in a coding, compressed at the best quality. */
export function contentOf(constant: Constant, coding: Coding | undefined): Promise<Content> {
  const contents = kept.get(constant) ?? new Map<Coding | undefined, Promise<Content>>()
  kept.set(constant, contents)
  const content = contents.get(coding) ?? makeContent(constant, coding)
  contents.set(coding, content)
  return content
}

async function makeContent({ text }: Constant, coding: Coding | undefined): Promise<Content> {
  const bytes = coding ? await compressBest(text, coding) : text
  return { bytes, digest: digestOf(bytes) }
}

function compressBest(text: string, coding: Coding): Promise<Buffer> {
  return coding === 'br' ? brotli(text, text.length > maxBestBytes ? 9 : 11) : run.gzip(text, { level: 9 })
}

function brotli(body: string | Buffer, quality: number): Promise<Buffer> {
  return run.br(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(body),
    },
  })
}
