import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import type { Test } from 'supertest'
import { AuditEvent, Image, Organization, OrganizationUser } from '../entities/index.ts'
import {
  type Agent,
  api,
  as,
  database,
  elsewhere,
  foundTenant,
  given,
  operator,
  organization,
  person,
  publicUrl,
  tenant,
  tokenOf,
} from './world/index.ts'
import { expectProblem, links, raw } from './world/wire.ts'

const { admin, member, owner } = tenant.users
const mebibyte = 1024 * 1024
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>')
const html = Buffer.from('<!doctype html><script>alert(1)</script>')

let shades = 0
/** A picture that no other is like. */
const picture = (width = 12, height = width) => {
  shades += 7
  const background = { r: shades % 256, g: Math.floor(shades / 256) % 256, b: width % 256 }
  return sharp({ create: { width, height, channels: 3, background } })
}
const png = (width?: number, height?: number) => picture(width, height).png().toBuffer()
const noise = (width: number, height: number) =>
  sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } })

/** A PNG that is filled up, after its end, to so many bytes. */
const sized = async (length: number) => {
  const image = await png()
  return Buffer.concat([image, Buffer.alloc(length - image.length)])
}

const upload = (kind: 'icon' | 'logo', bytes: Buffer, name = 'image.png', agent: Agent = api): Test =>
  agent.post(`/organizations/${kind}`).attach('file', bytes, name)

const shown = (path: string) => as().get(path).buffer(true).parse(wholeBody)

function wholeBody(response: unknown, done: (error: Error | null, body: unknown) => void) {
  const pieces: Buffer[] = []
  const stream = response as NodeJS.ReadableStream
  stream.on('data', (piece) => pieces.push(piece))
  stream.on('end', () => done(null, Buffer.concat(pieces)))
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** The images that the database holds, and those that organizations use. */
async function kept(): Promise<{ held: string[]; used: string[] }> {
  const held = await database.manager.find(Image, { order: { id: 'ASC' } })
  const users = await database.manager.find(Organization)
  const used = new Set(users.flatMap(({ logoId, iconId }) => [logoId, iconId]).filter((id) => id !== null))
  return { held: held.map(({ id }) => id), used: [...used].sort() }
}

afterEach(async () => {
  const { held, used } = await kept()
  expect(held).toEqual(used)
})

describe.each(['icon', 'logo'] as const)('An uploaded %s', (kind) => {
  test.each(['png', 'jpeg', 'webp'] as const)(
    'is drawn anew as the %s that it is, and shown to anybody',
    async (type) => {
      const bytes = await picture(20).toFormat(type).toBuffer()
      const { status, headers, body } = await upload(kind, bytes)
      expect(status).toBe(201)
      expect(body).toMatchObject({ '@id': `/organizations/${organization.id}`, '@type': 'Organization' })
      expect(body[kind]).toMatch(/^\/images\/[0-9a-f]{64}$/)
      expect(headers.location).toBe(body['@id'])
      expect((await api.get(body['@id'])).body).toEqual(body)
      expect((await as(member).get(body['@id'])).body[kind]).toBe(body[kind])

      const image = await shown(body[kind])
      expect(image.status).toBe(200)
      expect(image.headers['content-type']).toBe(`image/${type}`)
      expect(sha256(image.body)).toBe(body[kind].slice('/images/'.length))
      expect(await sharp(image.body).metadata()).toMatchObject({ format: type, width: 20, height: 20 })
    },
  )

  test('is written down in the audit log, once', async () => {
    const before = (await api.get(`/organizations/${organization.id}`)).body[kind]
    const bytes = await png()
    const action = kind === 'icon' ? 'organization.uploadIcon' : 'organization.uploadLogo'
    const events = () => database.manager.find(AuditEvent, { where: { action }, order: { id: 'DESC' } })
    const known = (await events()).length
    const { body } = await upload(kind, bytes, 'x.png', as(admin))
    const [event] = await events()
    expect(event).toMatchObject({ actorId: admin.id, organizationId: organization.id, target: body['@id'] })
    expect(event.changes).toEqual({ [kind]: [before, body[kind]] })
    await upload(kind, bytes)
    expect((await events()).length).toBe(known + 1)
  })

  test('is for admins and owners, before a byte of it is read', async () => {
    const bytes = await png()
    const guest = await person(`guest-${kind}`)
    for (const [user, expected] of [
      [undefined, 401],
      [guest, 403],
      [member, 403],
      [operator, 403],
      [admin, 201],
    ] as const)
      expect([user?.subject, (await upload(kind, bytes, 'x.png', as(user))).status]).toEqual([user?.subject, expected])
    expect((await as(member).post(`/organizations/${kind}`, {})).status).toBe(403)
  })

  test.each([
    ['logo.svg', 'image/svg+xml'],
    ['logo.html', 'text/html'],
    ['../../etc/passwd', 'application/octet-stream'],
    ['\0.php', 'image/png'],
  ])('is told by its bytes, not by the name %j or the type %s', async (filename, contentType) => {
    const bytes = await picture().jpeg().toBuffer()
    const { status, body } = await api.post(`/organizations/${kind}`).attach('file', bytes, { filename, contentType })
    expect(status).toBe(201)
    expect((await shown(body[kind])).headers['content-type']).toBe('image/jpeg')
  })

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
    ['a PNG of which half is there', async () => (await noise(40, 40).png().toBuffer()).subarray(0, 2000)],
    ['a JPEG of which half is there', async () => (await noise(40, 40).jpeg().toBuffer()).subarray(0, 800)],
    ['a WebP of which half is there', async () => (await noise(40, 40).webp().toBuffer()).subarray(0, 800)],
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

  test('has at most 25 megapixels, and a bomb of 144 is refused before it goes off', async () => {
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

  test('tells nothing of where it was made, and is turned as it said', async () => {
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

  test.each(['png', 'jpeg', 'webp'] as const)('has nothing appended to it any more when it is a %s', async (type) => {
    const bytes = await picture(16).toFormat(type).toBuffer()
    for (const behind of [html, Buffer.from('PK\x05\x06'), Buffer.concat([html, randomBytes(5000)])]) {
      const { status, body } = await upload(kind, Buffer.concat([bytes, behind]))
      expect([200, 201]).toContain(status)
      const image = (await shown(body[kind])).body
      expect(image.includes(behind)).toBe(false)
      expect(image.includes('<script')).toBe(false)
    }
  })

  test('has no comment or text of a PNG in it any more', async () => {
    const text = chunk('tEXt', Buffer.from('Comment\0<script>alert(1)</script>'))
    const bytes = await png()
    const { body } = await upload(kind, Buffer.concat([bytes.subarray(0, 33), text, bytes.subarray(33)]))
    expect((await shown(body[kind])).body.includes('script')).toBe(false)
  })

  test('stands still: of an animation the first frame is kept', async () => {
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

describe('How large one may be', () => {
  test.each([
    ['icon', 1],
    ['logo', 2],
  ] as const)('%s: at most %i MiB', async (kind, most) => {
    expect((await upload(kind, await sized(most * mebibyte))).status).toBe(201)
    const answer = await upload(kind, await sized(most * mebibyte + 1))
    expectProblem(answer as never, 413)
    expect(answer.body.detail).toContain(`${most} MiB`)
    expectProblem((await upload(kind, Buffer.alloc(20 * mebibyte))) as never, 413)
  })

  test('what does not say its length is cut where it is too large', async () => {
    const headers = { ...(await signed()), 'Transfer-Encoding': 'chunked' }
    const answer = await raw('POST', '/organizations/logo', headers, form([file(Buffer.alloc(8 * mebibyte))]))
    expectProblem(answer, 413)
    const padded = Buffer.concat([Buffer.alloc(mebibyte * 3, 0x20), form([file(await png())])])
    expectProblem(await raw('POST', '/organizations/logo', headers, padded), 413)
  })

  test('what is refused half read leaves the connection good for more', async () => {
    const socket = open(await signed(), 'Transfer-Encoding: chunked')
    const body = form([file(Buffer.alloc(8 * mebibyte))])
    for (const piece of [`${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n']) socket.write(piece)
    socket.write('GET /countries/NL HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    let text = ''
    for await (const piece of socket) text += piece
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200'])
  })

  test('an icon is square, a logo need not be', async () => {
    const wide = await png(20, 10)
    const answer = await upload('icon', wide)
    expectProblem(answer as never, 422)
    expect(answer.body.violations).toEqual([
      { propertyPath: 'file', message: expect.stringContaining('20 pixels wide and 10'), code: 'isSquare' },
    ])
    expect((await upload('logo', wide)).status).toBe(201)
  })
})

describe('The form', () => {
  const send = async (body: Buffer | string, headers: Record<string, string> = {}) =>
    raw('POST', '/organizations/logo', { ...(await signed()), ...headers }, body)

  test('has one file, in the field "file"', async () => {
    const image = await png()
    for (const [parts, said] of [
      [[], /not a whole|no file/],
      [[field('other', 'x')], /no file/],
      [[field('file', 'as text')], /no file/],
      [[file(image, 'image')], /no file/],
      [[file(image, 'File')], /no file/],
      [[file(image, 'file[]')], /no file/],
      [[file(Buffer.alloc(0))], /no file/],
      [[file(image), file(image)], /more than one/],
      [[file(image), file(image, 'other')], /more than one/],
      [[file(image), ...Array.from({ length: 11 }, (_, n) => field(`f${n}`, 'x'))], /too many parts/],
    ] as const) {
      const problem = expectProblem(await send(form([...parts])), 400)
      expect(problem.detail).toMatch(said)
    }
    expect((await send(form([field('a', 'x'.repeat(5000)), file(image), field('b', '')]))).status).toBe(201)
  })

  test('is multipart: anything else is 415, and so is one that is packed', async () => {
    for (const type of [
      'image/png',
      'application/json',
      'multipart/mixed; boundary=x',
      'application/x-www-form-urlencoded',
    ])
      expectProblem(await send(await png(), { 'Content-Type': type }), 415)
    expectProblem(await send(form([file(await png())]), { 'Content-Encoding': 'gzip' }), 415)
    const { status, headers } = await api.post('/organizations/logo')
    expect([status, headers['accept-post']]).toEqual([415, 'multipart/form-data'])
  })

  test('is whole', async () => {
    const image = await png()
    const whole = form([file(image)])
    for (const broken of [
      '',
      '\r\n',
      '--',
      '--x',
      '--x--',
      '--x\r\n\r\n',
      whole.subarray(0, 40),
      whole.subarray(0, 120),
      whole.subarray(0, -8),
      whole.subarray(10),
      Buffer.from('{"file":"x"}'),
      Buffer.from(whole.toString('latin1').replaceAll('--x', '--y'), 'latin1'),
      Buffer.from(whole.toString('latin1').replace('form-data', 'attachment'), 'latin1'),
      Buffer.from(whole.toString('latin1').replace('filename', `${'f'.repeat(20_000)}`), 'latin1'),
    ])
      expectProblem(await send(broken), 400)
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary', 'multipart/form-data; charset=utf-8'])
      expectProblem(await send(whole, { 'Content-Type': type }), 400)
    expect((await send(Buffer.concat([Buffer.from('preamble\r\n'), whole, Buffer.from('epilogue')]))).status).toBe(201)
  })

  test('that is damaged anywhere is answered all the same, and quickly', async () => {
    const whole = form([field('a', 'b'), file(await png())])
    const answers = []
    for (let tries = 0; tries < 150; tries++) {
      const damaged = Buffer.from(whole)
      for (let bytes = 0; bytes < 1 + (tries % 4); bytes++)
        damaged[Math.floor(Math.random() * damaged.length)] = [0x0d, 0x0a, 0x2d, 0x00, 0x3b, 0x22][tries % 6]
      const cut = tries % 3 ? damaged.length : Math.floor(Math.random() * damaged.length)
      answers.push((await send(damaged.subarray(0, cut))).status)
    }
    expect(answers.filter((status) => ![200, 201, 400, 415, 422].includes(status))).toEqual([])
  }, 30_000)

  test('that stops half way leaves the server as it was', async () => {
    for (let count = 0; count < 5; count++) {
      const socket = open(await signed(), 'Content-Length: 900000')
      socket.write(form([file(await png())]).subarray(0, 100))
      await new Promise((resolve) => setTimeout(resolve, 20))
      socket.destroy()
    }
    expect((await upload('logo', await png())).status).toBe(201)
  })
})

describe('An image', () => {
  test('is shown for ever to anybody, and as nothing but an image', async () => {
    const { logo } = (await upload('logo', await png())).body
    const { status, headers, body } = await shown(logo).set('Origin', 'https://app.example')
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(body.length),
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
      'access-control-allow-origin': '*',
      etag: `"${logo.slice('/images/'.length)}"`,
      link: links.documentation,
      vary: 'Origin',
    })

    const head = await as().head(logo)
    expect([head.status, head.text]).toEqual([200, undefined])
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control'])
      expect(head.headers[name]).toBe(headers[name])

    for (const tag of [headers.etag, `W/${headers.etag}`, `"x", ${headers.etag}`, '*']) {
      const again = await as().get(logo).set('If-None-Match', tag)
      expect([tag, again.status, again.text]).toEqual([tag, 304, ''])
      expect(again.headers).toMatchObject({ etag: headers.etag, 'cache-control': headers['cache-control'] })
    }
    expect((await as().get(logo).set('If-None-Match', '"x"')).status).toBe(200)

    const signedIn = await as(elsewhere.users.member).get(logo).set('Accept', 'application/ld+json')
    expect([signedIn.status, signedIn.headers['content-type']]).toEqual([200, 'image/png'])
  })

  test('can only be read', async () => {
    const { logo } = (await upload('logo', await png())).body
    for (const method of ['post', 'patch', 'delete'] as const) {
      const answer = await api[method](logo)
      expectProblem(answer as never, 405)
      expect(answer.headers.allow).toBe('OPTIONS, HEAD, GET')
    }
    const options = await as().options(logo).set('Origin', 'https://app.example')
    expect([options.status, options.headers.allow]).toEqual([204, 'OPTIONS, HEAD, GET'])
    expect((await shown(logo)).status).toBe(200)
  })

  test('that is not there is a problem, which nobody keeps', async () => {
    const { logo } = (await upload('logo', await png())).body
    for (const path of [
      `/images/${'0'.repeat(64)}`,
      '/images/1',
      '/images/%00',
      "/images/' OR true --",
      logo.toUpperCase().replace('/IMAGES', '/images'),
      `${logo}/`,
      `${logo}.png`,
      logo.slice(0, -1),
      '/images',
      '/images/',
    ]) {
      const answer = await raw('GET', encodeURI(path).replaceAll('%25', '%'))
      expectProblem(answer, 404)
      expect(answer.headers['cache-control']).toBe('no-store')
    }
  })

  test('has one address for the same bytes, in whatever organization and as what', async () => {
    const bytes = await png()
    const first = await upload('logo', bytes)
    const again = await upload('logo', bytes, 'other name.png')
    expect([first.status, again.status, again.body]).toEqual([201, 200, first.body])
    expect(again.headers.location).toBeUndefined()
    const icon = await upload('icon', bytes)
    const other = await upload('logo', bytes, 'x.png', as(elsewhere.users.owner))
    expect([icon.status, other.status]).toEqual([201, 201])
    expect([icon.body.icon, other.body.logo]).toEqual([first.body.logo, first.body.logo])
    expect(other.body['@id']).toBe(`/organizations/${elsewhere.organization.id}`)
    expect(other.text).not.toContain(organization.id)
  })

  test('that is replaced goes, unless somebody uses it still', async () => {
    const [bytes, next] = [await png(), await png()]
    const others = as(elsewhere.users.admin)
    const { logo } = (await upload('logo', bytes)).body
    await upload('icon', bytes)
    await upload('icon', bytes, 'x.png', others)

    await upload('logo', next)
    expect((await shown(logo)).status).toBe(200)
    await upload('icon', next)
    expect((await shown(logo)).status).toBe(200)
    await upload('icon', next, 'x.png', others)
    expectProblem((await as().get(logo)) as never, 404)
    expect((await upload('logo', bytes)).body.logo).toBe(logo)
    expect((await shown(logo)).status).toBe(200)
  })

  test('that is refused leaves the one before it', async () => {
    const { logo } = (await upload('logo', await png())).body
    for (const bytes of [svg, Buffer.alloc(0), await sized(2 * mebibyte + 1)]) await upload('logo', bytes)
    expect((await api.get(`/organizations/${organization.id}`)).body.logo).toBe(logo)
    expect((await shown(logo)).status).toBe(200)
  })

  test('is the organization’s that is acted for, and stays when that is cleared', async () => {
    const mine = await foundTenant('Mine', 'mine', { demo: true })
    const theirs = (await as(owner).get(`/organizations/${organization.id}`)).body
    const both = await person('both')
    for (const { id } of [organization, mine.organization])
      await given(OrganizationUser, { user: both, organizationId: id, name: 'both', role: 'owner' })
    const agent = as(both, { organization: mine.organization.id })
    expect((await upload('logo', await png(), 'x.png', as(both))).status).toBe(403)
    const { body } = await upload('logo', await png(), 'x.png', agent)
    expect(body['@id']).toBe(`/organizations/${mine.organization.id}`)
    expect((await as(owner).get(`/organizations/${organization.id}`)).body).toMatchObject({ logo: theirs.logo })

    const cleared = await as(mine.users.owner).post('/organizations/clear', { confirm: 'mine' })
    expect([cleared.status < 300, cleared.body.logo]).toEqual([true, body.logo])
    expect((await shown(body.logo)).status).toBe(200)
  })

  test('cannot be named by who writes the organization', async () => {
    const path = `/organizations/${organization.id}`
    const before = (await api.get(path)).body
    const { body } = await api.patch(path, { logo: `/images/${'0'.repeat(64)}`, icon: null, logoId: 'x' })
    expect(body).toMatchObject({ logo: before.logo, icon: before.icon })
    const strict = await api.patch(path, { logo: null }).set('Prefer', 'handling=strict')
    expect(strict.status).toBe(422)
  })
})

describe('With an Idempotency-Key', () => {
  const keyed = (kind: 'icon' | 'logo', bytes: Buffer, key: string) => upload(kind, bytes).set('Idempotency-Key', key)

  test('an upload is done once, though its form is made anew with another boundary', async () => {
    const bytes = await png()
    const first = await keyed('logo', bytes, 'upload-1')
    await upload('logo', await png())
    const again = await keyed('logo', bytes, 'upload-1')
    expect([first.status, again.status, again.headers['idempotent-replayed']]).toEqual([201, 201, 'true'])
    expect(again.body).toEqual(first.body)
    expect((await api.get(first.body['@id'])).body.logo).not.toBe(first.body.logo)
  })

  test('another file under it is refused, and so is the same file in another place', async () => {
    const bytes = await png()
    expect((await keyed('logo', bytes, 'upload-2')).status).toBe(201)
    for (const answer of [
      await keyed('logo', await png(), 'upload-2'),
      await keyed('logo', Buffer.concat([bytes, Buffer.from([0])]), 'upload-2'),
      await keyed('icon', bytes, 'upload-2'),
    ]) {
      expectProblem(answer as never, 422)
      expect(answer.body.violations[0].propertyPath).toBe('Idempotency-Key')
    }
  })

  test('what was refused may be tried again', async () => {
    expect((await keyed('logo', svg, 'upload-3')).status).toBe(415)
    expect((await keyed('logo', await png(), 'upload-3')).status).toBe(201)
  })

  test('ten at once are one', async () => {
    const bytes = await png()
    const answers = await Promise.all(Array.from({ length: 10 }, () => keyed('logo', bytes, 'upload-4')))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201))
    expect(answers.filter(({ headers }) => !headers['idempotent-replayed'])).toHaveLength(1)
  })
})

describe('At once', () => {
  test('twenty uploads of two images, by two organizations in turns, leave what is used and nothing else', async () => {
    const images = [await png(), await png()]
    const agents = [api, as(elsewhere.users.owner)]
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          upload(n % 3 ? 'logo' : 'icon', images[(n + Math.floor(n / 2)) % 2], 'x.png', agents[n % 2]),
        ),
      )
      expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 201)).toEqual([])
      const { held, used } = await kept()
      expect(held).toEqual(used)
      for (const id of used) expect((await shown(`/images/${id}`)).status).toBe(200)
    }
    await database.query('SELECT pg_sleep(1.1)')
    const [{ deadlocks }] = await database.query(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    )
    expect(Number(deadlocks)).toBe(0)
  })

  test('ten large ones are drawn a few at a time, and other requests are answered meanwhile', async () => {
    const large = await noise(800, 800).png().toBuffer()
    expect(large.length).toBeGreaterThan(1.8 * mebibyte)
    const before = process.memoryUsage().rss
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 10)
    const uploads = Promise.all(Array.from({ length: 10 }, () => upload('logo', large)))
    const small = await Promise.all(Array.from({ length: 10 }, () => api.get('/locations')))
    const answers = await uploads
    clearInterval(watch)
    expect(small.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201])
    expect(most - before).toBeLessThan(300 * mebibyte)
  })

  test('more than can wait are told to come back', async () => {
    const large = await noise(700, 700).png().toBuffer()
    const answers = await Promise.all(Array.from({ length: 60 }, () => upload('icon', large.subarray(0, mebibyte))))
    const statuses = new Set(answers.map(({ status }) => status))
    expect([...statuses].filter((status) => status !== 422 && status !== 503)).toEqual([])
    for (const { status, headers } of answers) if (status === 503) expect(headers['retry-after']).toBe('5')
    expect((await upload('icon', await png())).status).toBe(201)
  })
})

describe('The documentation', () => {
  test('says what a form there is, and that an image is none of our classes', async () => {
    const { body: openapi } = await as().get('/docs.jsonopenapi')
    const { requestBody } = openapi.paths['/organizations/logo'].post
    expect(requestBody).toMatchObject({
      required: true,
      content: {
        'multipart/form-data': {
          schema: { properties: { file: { type: 'string', format: 'binary' } }, required: ['file'] },
          encoding: { file: { contentType: 'image/png, image/jpeg, image/webp' } },
        },
      },
    })
    const iri = { type: ['string', 'null'], format: 'iri-reference', readOnly: true }
    expect(openapi.components.schemas.Organization.properties).toMatchObject({ logo: iri, icon: iri })

    const { body: docs } = await as().get('/docs.jsonld')
    const { supportedProperty } = docs.supportedClass.find(({ title }: { title: string }) => title === 'Organization')
    for (const name of ['logo', 'icon']) {
      const found = supportedProperty.find(({ title }: { title: string }) => title === name)
      expect(found).toMatchObject({ readable: true, writeable: false, required: false })
      expect(found.property).toMatchObject({ '@type': 'rdf:Property', range: 'schema:ImageObject' })
    }
  })
})

async function signed(): Promise<Record<string, string>> {
  return { Authorization: `Bearer ${await tokenOf(owner)}`, 'Content-Type': 'multipart/form-data; boundary=x' }
}

/** A connection on which an upload has been begun. */
function open(headers: Record<string, string>, ...more: string[]): Socket {
  const { hostname, port } = new URL(publicUrl)
  const lines = [...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), ...more]
  const socket = connect(Number(port), hostname)
  socket.write(`POST /organizations/logo HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`)
  return socket
}

function file(bytes: Buffer, name = 'file'): Buffer {
  const head = `Content-Disposition: form-data; name="${name}"; filename="a.png"\r\nContent-Type: image/png`
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes])
}

function field(name: string, value: string): Buffer {
  return Buffer.from(`Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`)
}

function form(parts: Buffer[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap((part) => [Buffer.from('--x\r\n'), part, Buffer.from('\r\n')]),
    Buffer.from('--x--\r\n'),
  ])
}

/** One byte of what is packed in a PNG is another. */
function flipped(bytes: Buffer): Buffer {
  const damaged = Buffer.from(bytes)
  damaged[Math.floor(bytes.length / 2)] ^= 0xff
  return damaged
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type), data])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, checksum])
}
