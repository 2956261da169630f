import { randomBytes } from 'node:crypto'
import sharp from 'sharp'
import { chunk, html, picture, png } from './sample-images.ts'
import { shown, upload } from './upload-requests.ts'

describe.each(['icon', 'logo'] as const)('An uploaded %s', (kind) => {
  test('loses its metadata, and is rotated by its EXIF orientation', async () => {
    const side = 30
    const left = await sharp({ create: { width: side / 2, height: side, channels: 3, background: 'black' } })
      .png()
      .toBuffer()
    const bytes = await sharp({ create: { width: side, height: side, channels: 3, background: 'white' } })
      .composite([{ input: left, left: 0, top: 0 }])
      .jpeg({ quality: 100 })
      .withMetadata({ orientation: 6, exif: { IFD0: { Copyright: 'Ada', Make: 'Camera' } }, icc: 'p3' })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><secret/></x:xmpmeta>')
      .toBuffer()
    expect(await sharp(bytes).metadata()).toMatchObject({ orientation: 6, exif: expect.any(Buffer) })

    const { body } = await upload(kind, bytes)
    const image = (await shown(body[kind])).body
    const { exif, xmp, icc, iptc, orientation } = await sharp(image).metadata()
    expect({ exif, xmp, icc, iptc, orientation }).toEqual({})
    const { data, info } = await sharp(image).greyscale().raw().toBuffer({ resolveWithObject: true })
    const at = (x: number, y: number) => data[(y * info.width + x) * info.channels]
    expect(at(15, 3)).toBeLessThan(40)
    expect(at(15, 26)).toBeGreaterThan(215)
  })

  test.each(['png', 'jpeg', 'webp'] as const)('loses the bytes that were appended to a %s', async (type) => {
    const bytes = await picture(16).toFormat(type).toBuffer()
    for (const behind of [html, Buffer.from('PK\x05\x06'), Buffer.concat([html, randomBytes(5000)])]) {
      const { status, body } = await upload(kind, Buffer.concat([bytes, behind]))
      expect([200, 201]).toContain(status)
      const image = (await shown(body[kind])).body
      expect(image.includes(behind)).toBe(false)
      expect(image.includes('<script')).toBe(false)
    }
  })

  test('loses the comments and texts of a PNG', async () => {
    const text = chunk('tEXt', Buffer.from('Comment\0<script>alert(1)</script>'))
    const bytes = await png()
    const { body } = await upload(kind, Buffer.concat([bytes.subarray(0, 33), text, bytes.subarray(33)]))
    expect((await shown(body[kind])).body.includes('script')).toBe(false)
  })

  test('keeps only the first frame of an animation', async () => {
    const frames = [await picture(10).png().toBuffer(), await picture(10).png().toBuffer()]
    const moving = await sharp(frames, { join: { animated: true } })
      .webp({ loop: 0, delay: [100, 100] })
      .toBuffer()
    expect((await sharp(moving).metadata()).pages).toBe(2)
    const { status, body } = await upload(kind, moving)
    expect(status).toBe(201)
    const metadata = await sharp((await shown(body[kind])).body).metadata()
    expect(metadata).toMatchObject({ format: 'webp', width: 10, height: 10 })
    expect(metadata.pages ?? 1).toBe(1)
  })
})
