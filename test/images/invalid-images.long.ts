import sharp from 'sharp'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { html, mebibyte, noise, picture, png, svg } from './sample-images.ts'
import { upload } from './upload-requests.ts'

describe.each(['icon', 'logo'] as const)('An uploaded %s', (kind) => {
  test.each([
    ['SVG', async () => svg],
    ['SVG with a prologue', async () => Buffer.concat([Buffer.from('\ufeff<?xml version="1.0"?>\n'), svg])],
    ['HTML', async () => html],
    ['GIF', () => picture().gif().toBuffer()],
    ['TIFF', () => picture().tiff().toBuffer()],
    ['AVIF', () => picture().avif().toBuffer()],
    ['PDF', async () => Buffer.from('%PDF-1.7\n%âãÏÓ\n')],
    ['a text', async () => Buffer.from('x')],
    ['a ZIP', async () => Buffer.from('PK\x03\x04')],
    ['a PNG behind something else', async () => Buffer.concat([html, await png()])],
    ['a GIF that begins as HTML would', async () => Buffer.from('GIF89a/*<svg/onload=alert(1)>*/')],
  ])('is refused as %s, though it is called a PNG', async (_, make) => {
    const answer = await upload(kind, await make())
    expectProblem(answer as never, 415)
    expect(answer.body.detail).toMatch(/image\/png, image\/jpeg, image\/webp/)
  })

  test.each([
    ['a truncated PNG', async () => (await noise(40, 40).png().toBuffer()).subarray(0, 2000)],
    ['a truncated JPEG', async () => (await noise(40, 40).jpeg().toBuffer()).subarray(0, 800)],
    ['a truncated WebP', async () => (await noise(40, 40).webp().toBuffer()).subarray(0, 800)],
    ['a PNG of nothing but its first bytes', async () => (await png()).subarray(0, 8)],
    ['HTML that begins as a PNG', async () => Buffer.concat([(await png()).subarray(0, 8), html])],
    ['HTML that begins as a JPEG', async () => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), html])],
    ['SVG that begins as a WebP', async () => Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP'), svg])],
    ['a PNG with a wrong checksum', async () => flipped(await noise(40, 40).png().toBuffer())],
  ])('is refused as %s', async (_, make) => {
    const answer = await upload(kind, await make())
    expectProblem(answer as never, 422)
    expect(answer.body.violations).toEqual([expect.objectContaining({ propertyPath: 'file', code: 'isImage' })])
  })

  test('has at most 25 megapixels: one of 144 is refused before it is decoded', async () => {
    const bomb = await sharp({ create: { width: 12_000, height: 12_000, channels: 3, background: 'red' } })
      .png({ compressionLevel: 9, palette: false })
      .toBuffer()
    expect(bomb.length).toBeLessThan(mebibyte)
    const begun = performance.now()
    const answer = await upload(kind, bomb)
    expect(performance.now() - begun).toBeLessThan(1000)
    expectProblem(answer as never, 422)
    expect(answer.body.violations).toEqual([expect.objectContaining({ propertyPath: 'file', code: 'maxPixels' })])

    expect((await upload(kind, await png(5000, 5000))).status).toBe(201)
  })
})

/** One byte of the packed data of a PNG is another. */
function flipped(bytes: Buffer): Buffer {
  const damaged = Buffer.from(bytes)
  damaged[Math.floor(bytes.length / 2)] ^= 0xff
  return damaged
}
