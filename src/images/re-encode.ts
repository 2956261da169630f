import { hash } from 'node:crypto'
import type sharp from 'sharp'
import type { Sharp } from 'sharp'
import { Image } from '../../entities/index.ts'
import { ConstraintViolation, Problem, runExclusive } from '../hydra/index.ts'

/** An accepted image format: detected by its first bytes, never by a name, and re-encoded as the same format. */
interface Format {
  type: string
  matches(head: string): boolean
  encode(image: Sharp, original: Buffer): Sharp
}

const formats: Format[] = [
  {
    type: 'image/png',
    matches: (head) => head.startsWith('\x89PNG\r\n\x1a\n'),
    encode: (image) => image.png({ adaptiveFiltering: true }),
  },
  {
    type: 'image/jpeg',
    matches: (head) => head.startsWith('\xff\xd8\xff'),
    encode: (image) => image.jpeg({ quality: 90 }),
  },
  {
    type: 'image/webp',
    matches: (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8),
    encode: (image, original) => image.webp({ quality: 90, effort: 2, lossless: original.includes('VP8L') }),
  },
]

export const imageTypes = formats.map(({ type }) => type)

const maxPixels = 25_000_000
const maxBytes = 8 * 1024 * 1024

let loaded: Promise<typeof sharp> | undefined

/**
 * Loads sharp with the first image: it takes a tenth of the start time, and many processes never need it. All other loaders, such
 * as SVG, PDF, TIFF, GIF and files, are blocked to reduce the attack surface.
 */
function load(): Promise<typeof sharp> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.block({ operation: ['VipsForeignLoad'] })
    sharp.unblock({
      operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer'],
    })
    sharp.cache(false)
    sharp.concurrency(1)
    return sharp
  })
  return loaded
}

/** Images that may wait, of two megabytes each. */
const maxWaiting = 30
const maxWaitMs = 20_000

let waiting = 0

/**
 * Re-encodes an uploaded image, so that only its pixels are stored. It is rotated by its EXIF orientation; metadata, appended
 * data and all frames but the first are dropped.
 * @throws Problem 415 for another format, 503 when too many images wait
 * @throws ConstraintViolation when the image cannot be read or must be square
 */
export async function reEncode(original: Buffer, square: boolean): Promise<Image> {
  const head = original.toString('latin1', 0, 12)
  const format = formats.find(({ matches }) => matches(head))
  if (!format) throw new Problem(415, `The bytes of the file are none of these types: ${imageTypes.join(', ')}.`)
  return oneByOne(() => toImage(format, original, square))
}

/** Encodes one image at a time: an image of 25 megapixels takes up to 300 MB of memory. */
async function oneByOne<T>(work: () => Promise<T>): Promise<T> {
  if (waiting === maxWaiting) throw busy()
  waiting += 1
  try {
    return await runExclusive('images', maxWaitMs, work, () => {
      throw busy()
    })
  } finally {
    waiting -= 1
  }
}

const busy = () => new Problem(503, 'Too many images are being processed: try again later.', { 'Retry-After': '5' })

async function toImage({ type, encode }: Format, original: Buffer, square: boolean): Promise<Image> {
  const sharp = await load()
  const image = sharp(original, { limitInputPixels: maxPixels, failOn: 'error', autoOrient: true })
  const { width, height } = await image.metadata().catch(throwViolation)
  if (square && width !== height)
    throw violation(`file must be square; it is ${width} pixels wide and ${height} high.`, 'isSquare')
  const { data: bytes, info } = await encode(image, original)
    .timeout({ seconds: 10 })
    .toBuffer({ resolveWithObject: true })
    .catch(throwViolation)
  if (bytes.length > maxBytes)
    throw new Problem(413, 'The re-encoded image exceeds 8 MiB: upload one with fewer pixels.')
  const id = hash('sha256', bytes)
  return Object.assign(new Image(), { id, type, width: info.width, height: info.height, bytes })
}

/** Translates an error of sharp to a violation. */
function throwViolation({ message }: Error): never {
  if (message.includes('pixel limit')) throw violation('file must have at most 25 megapixels.', 'maxPixels')
  if (message.startsWith('timeout'))
    throw violation('file takes longer than 10 s to process: upload a simpler image.', 'isSimple')
  throw violation('file cannot be read: it is damaged, or not of the type of its first bytes.', 'isImage')
}

function violation(message: string, code: string): ConstraintViolation {
  return new ConstraintViolation([{ propertyPath: 'file', message, code }])
}
