import { hash } from 'node:crypto'
import type sharp from 'sharp'
import type { Sharp } from 'sharp'
import { Image } from '../../entities/index.ts'
import { ConstraintViolation, Problem, runExclusive } from '../hydra/index.ts'

/** A kind of image that is taken: known by its first bytes, never by a name, and drawn anew as the same kind. */
interface Kind {
  type: string
  begins(head: string): boolean
  encode(image: Sharp, original: Buffer): Sharp
}

const kinds: Kind[] = [
  {
    type: 'image/png',
    begins: (head) => head.startsWith('\x89PNG\r\n\x1a\n'),
    encode: (image) => image.png({ adaptiveFiltering: true }),
  },
  {
    type: 'image/jpeg',
    begins: (head) => head.startsWith('\xff\xd8\xff'),
    encode: (image) => image.jpeg({ quality: 90 }),
  },
  {
    type: 'image/webp',
    begins: (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8),
    encode: (image, original) => image.webp({ quality: 90, effort: 2, lossless: original.includes('VP8L') }),
  },
]

export const imageTypes = kinds.map(({ type }) => type)

const mostPixels = 25_000_000
const mostBytes = 8 * 1024 * 1024

let loaded: Promise<typeof sharp> | undefined

/**
 * Loaded with the first image, as it is a tenth of what the start of a process takes, and many draw none. Only the readers of
 * these kinds are there to be tricked: none for SVG, PDF, TIFF or GIF, and none for files.
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

/** How many images may wait to be drawn, two megabytes each, and for how many milliseconds. */
const mostWaiting = 30
const longestWait = 20_000

let waiting = 0

/**
 * Draws what was uploaded anew, so that its pixels are all that is kept of it: turned as it said it should be, the
 * first frame where it moves, with no metadata and nothing appended.
 * @throws Problem 415 when it is of another kind, 422 when it cannot be read or is not square where it must be, 503
 * when too many are drawn already
 */
export async function reEncode(original: Buffer, square: boolean): Promise<Image> {
  const head = original.toString('latin1', 0, 12)
  const kind = kinds.find(({ begins }) => begins(head))
  if (!kind) throw new Problem(415, `By its bytes the file is none of these: ${imageTypes.join(', ')}.`)
  return oneByOne(() => draw(kind, original, square))
}

/** An image of 25 megapixels takes up to 300 MB while it is drawn, so two at once would be too many. */
async function oneByOne<T>(work: () => Promise<T>): Promise<T> {
  if (waiting === mostWaiting) throw busy()
  waiting += 1
  try {
    return await runExclusive('images', longestWait, work, () => {
      throw busy()
    })
  } finally {
    waiting -= 1
  }
}

const busy = () => new Problem(503, 'Too many images are being drawn at the moment: try again.', { 'Retry-After': '5' })

async function draw({ type, encode }: Kind, original: Buffer, square: boolean): Promise<Image> {
  const sharp = await load()
  const image = sharp(original, { limitInputPixels: mostPixels, failOn: 'error', autoOrient: true })
  const { width, height } = await image.metadata().catch(refuse)
  if (square && width !== height)
    throw refusal(`file must be square; it is ${width} pixels wide and ${height} high.`, 'isSquare')
  const { data: bytes, info } = await encode(image, original)
    .timeout({ seconds: 10 })
    .toBuffer({ resolveWithObject: true })
    .catch(refuse)
  if (bytes.length > mostBytes)
    throw new Problem(413, 'The image is too large after it is encoded again: give it fewer pixels.')
  const id = hash('sha256', bytes)
  return Object.assign(new Image(), { id, type, width: info.width, height: info.height, bytes })
}

/** Says in the API's words why sharp cannot read an image. */
function refuse({ message }: Error): never {
  if (message.includes('pixel limit')) throw refusal('file must have at most 25 megapixels.', 'maxPixels')
  if (message.startsWith('timeout')) throw refusal('file takes too long to be drawn: simplify it.', 'isSimple')
  throw refusal('file cannot be read: it is broken, or not what it begins as.', 'isImage')
}

function refusal(message: string, code: string): ConstraintViolation {
  return new ConstraintViolation([{ propertyPath: 'file', message, code }])
}
