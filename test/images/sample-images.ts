import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'

export const mebibyte = 1024 * 1024

/** HTML that would run if a browser showed it as a page. */
export const svg = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
)
export const html = Buffer.from('<!doctype html><script>alert(1)</script>')

let shades = 0

/** A picture that no other is like. */
export const picture = (width = 12, height = width) => {
  shades += 7
  const background = { r: shades % 256, g: Math.floor(shades / 256) % 256, b: width % 256 }
  return sharp({ create: { width, height, channels: 3, background } })
}
export const png = (width?: number, height?: number) => picture(width, height).png().toBuffer()
export const noise = (width: number, height: number) =>
  sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } })

/** A PNG that is filled up, after its end, to so many bytes. */
export const sized = async (length: number) => {
  const image = await png()
  return Buffer.concat([image, Buffer.alloc(length - image.length)])
}

export function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type), data])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, checksum])
}
