import { hash } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { Meeting } from '../../entities/index.ts'
import { expectProblem, type RawAnswer, raw } from '../support/requests/raw-responses.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, given, publicUrl, tenant, tokenOf } = await openWorld()

const owner = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
const meeting = await given(Meeting, { ...morning, notes: 'A long note. '.repeat(200) })
const small = await given(Meeting, {
  dateFrom: new Date('2026-05-01T08:00:00Z'),
  dateTo: new Date('2026-05-01T09:00:00Z'),
})
const item = `/meetings/${meeting.id}`

const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  raw(method, path, { ...owner, ...headers }, body)

/** The text of a response after its content coding is undone. */
function textOf({ headers, bytes }: RawAnswer): string {
  const coding = headers['content-encoding']
  return String(coding === 'br' ? brotliDecompressSync(bytes) : coding === 'gzip' ? gunzipSync(bytes) : bytes)
}

const digestOf = ({ bytes }: RawAnswer) => `sha-256=:${hash('sha256', bytes, 'base64')}:`

/** An ETag with the suffix of a coding. */
const coded = (etag: unknown, coding: string) => String(etag).replace(/"$/, `-${coding}"`)

const codings = ['gzip', 'br'] as const

describe('Accept-Encoding decides on the coding of a response over 1 kB (RFC 9110 §12.5.3):', () => {
  test.each([
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['GZIP', 'gzip'],
    ['gzip, deflate', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip;q=1, br;q=0.5', 'gzip'],
    ['br;q=0.2 , gzip ; q=0.3', 'gzip'],
    ['zstd, gzip;q=0.001', 'gzip'],
    ['gzip, identity', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['gzip, *;q=0', 'gzip'],
    ['gzip;q=0.5, *;q=0.1', 'gzip'],
    ['identity;q=0, gzip', 'gzip'],
    ['identity;q=0.5, gzip;q=0.4', undefined],
    ['gzip;q=0.5, identity', undefined],
    ['gzip;q=0', undefined],
    ['gzip;q=x', undefined],
    ['gzip;q=-1', undefined],
    ['identity', undefined],
    ['deflate', undefined],
    ['', undefined],
    ['*;q=0', undefined],
    ['identity;q=0', undefined],
    [',;q', undefined],
  ])('%j gets %s', async (accepted, coding) => {
    for (const path of ['/meetings', item, '/countries', '/contexts/Meeting']) {
      const plain = await ask('GET', path)
      const answer = await ask('GET', path, { 'Accept-Encoding': accepted })
      expect([answer.status, answer.headers['content-encoding']]).toEqual([200, coding])
      expect(textOf(answer)).toBe(plain.text)
      expect(answer.headers['content-length']).toBe(`${answer.bytes.length}`)
      expect(answer.headers.etag).toBe(coding ? coded(plain.headers.etag, coding) : plain.headers.etag)
      if (coding) expect(answer.bytes.length).toBeLessThan(plain.bytes.length / 1.5)
      for (const { headers } of [plain, answer]) expect(`${headers.vary}`.split(', ')).toContain('Accept-Encoding')
    }
  })
})

test.each(['/meetings', '/meetings.csv', item, '/docs.jsonld', '/nowhere'])(
  'HEAD of %s has the headers of GET in each coding, and no body',
  async (path) => {
    for (const accepted of ['', ...codings]) {
      const [got, head] = await Promise.all(
        ['GET', 'HEAD'].map((method) => ask(method, path, { 'Accept-Encoding': accepted, 'X-Request-Id': 'x' })),
      )
      const stable = ({ headers: { date: _, ...headers } }: RawAnswer) => headers
      expect(stable(head)).toEqual(stable(got))
      expect(head.text).toBe('')
    }
  },
)

test.each(['.jsonld', '.json', '.ttl', '.nq', '.csv', '.html'])('%s is compressed as well', async (suffix) => {
  const plain = await ask('GET', `/meetings${suffix}`)
  const answer = await ask('GET', `/meetings${suffix}`, { 'Accept-Encoding': 'gzip' })
  // The table of two meetings may be small.
  expect(answer.headers['content-encoding']).toBe(plain.bytes.length < 1024 ? undefined : 'gzip')
  expect(textOf(answer)).toBe(plain.text)
})

test('a response under 1 kB is compressed only for a client that accepts nothing else', async () => {
  const path = `/meetings/${small.id}`
  const plain = await ask('GET', path, { 'Accept-Encoding': 'gzip, br' })
  expect(plain.bytes.length).toBeLessThan(1024)
  expect(plain.headers).not.toHaveProperty('content-encoding')

  const answer = await ask('GET', path, { 'Accept-Encoding': 'gzip, identity;q=0' })
  expect(answer.headers['content-encoding']).toBe('gzip')
  expect(textOf(answer)).toBe(plain.text)
})

test('a client that asks for no transformation gets the response as it is', async () => {
  const { headers, text } = await ask('GET', item, { 'Accept-Encoding': 'gzip', 'Cache-Control': 'no-transform' })
  expect(headers).not.toHaveProperty('content-encoding')
  expect(JSON.parse(text)['@id']).toBe(item)
})

test('a Range is ignored: the response is whole, in its coding', async () => {
  const { status, headers, ...answer } = await ask('GET', item, { 'Accept-Encoding': 'gzip', Range: 'bytes=0-9' })
  expect([status, headers['content-range']]).toEqual([200, undefined])
  expect(JSON.parse(textOf({ status, headers, ...answer }))['@id']).toBe(item)
})

describe('The ETag of a coded response', () => {
  test.each(['/meetings', item, '/docs.jsonld', '/contexts/Meeting'])(
    'of %s is current for this coding alone in If-None-Match, and for each in If-Match',
    async (path) => {
      const { etag } = (await ask('GET', path)).headers
      const tags = { '': `${etag}`, gzip: coded(etag, 'gzip'), br: coded(etag, 'br') }
      for (const [accepted, selected] of Object.entries(tags))
        for (const tag of Object.values(tags)) {
          const headers = { 'Accept-Encoding': accepted }
          const revalidated = await ask('GET', path, { ...headers, 'If-None-Match': tag })
          expect([accepted, tag, revalidated.status]).toEqual([accepted, tag, tag === selected ? 304 : 200])
          expect(revalidated.headers.etag).toBe(selected)
          if (revalidated.status === 304) {
            expect(revalidated.headers).not.toHaveProperty('content-encoding')
            expect(revalidated.headers.vary).toContain('Accept-Encoding')
          }
          expect((await ask('GET', path, { ...headers, 'If-Match': tag })).status).toBe(200)
        }
      for (const other of ['"x-gzip"', coded(etag, 'deflate'), `W/${tags.gzip}`, coded(tags.gzip, 'gzip')])
        expectProblem(await ask('GET', path, { 'If-Match': other }), 412)
    },
  )

  test('is a condition of PATCH and DELETE', async () => {
    const { headers } = await ask('GET', item, { 'Accept-Encoding': 'br' })
    const change = (etag: unknown, body: object) =>
      ask(
        'PATCH',
        item,
        { 'Content-Type': 'application/merge-patch+json', 'Accept-Encoding': 'gzip', 'If-Match': `${etag}` },
        JSON.stringify(body),
      )
    const changed = await change(headers.etag, { notes: 'Another long note. '.repeat(200) })
    expect([changed.status, changed.headers['content-encoding']]).toEqual([200, 'gzip'])
    expect(changed.headers.etag).toMatch(/^"2-[\w-]{27}-gzip"$/)
    expectProblem(await change(headers.etag, { notes: 'x' }), 412)
    expect((await change(changed.headers.etag, {})).status).toBe(200)

    const { body } = await api.post('/organization-addresses', {
      ...{
        kind: 'billing',
        name: 'Acme',
        street: 'Damrak 1',
        zipcode: '1012 LG',
        city: 'x'.repeat(5),
        country: '/countries/NL',
      },
    })
    const address = await ask('GET', body['@id'], { 'Accept-Encoding': 'gzip, identity;q=0' })
    expect(address.headers.etag).toMatch(/-gzip"$/)
    expect((await ask('DELETE', body['@id'], { 'If-Match': `${address.headers.etag}` })).status).toBe(204)
  })

  test('is that of the plain document where the client prefers no body', async () => {
    const { status, headers } = await ask(
      'PATCH',
      item,
      { 'Content-Type': 'application/merge-patch+json', 'Accept-Encoding': 'gzip', Prefer: 'return=minimal' },
      '{}',
    )
    expect([status, headers['content-encoding']]).toEqual([204, undefined])
    expect(headers.etag).toBe((await ask('GET', item)).headers.etag)
  })
})

test.each(['/docs.jsonld', '/docs.jsonopenapi', '/contexts/Meeting', '/errors/404', '/'])(
  '%s has the digest of the bytes that are sent, in each coding (RFC 9530 §3)',
  async (path) => {
    const digests = await Promise.all(
      ['', ...codings].map(async (accepted) => {
        const headers = { 'Accept-Encoding': accepted }
        const answer = await ask('GET', path, headers)
        expect(answer.headers['repr-digest']).toBe(digestOf(answer))
        expect((await ask('HEAD', path, headers)).headers['repr-digest']).toBe(digestOf(answer))
        const revalidated = await ask('GET', path, { ...headers, 'If-None-Match': `${answer.headers.etag}` })
        expect([revalidated.status, revalidated.headers['repr-digest']]).toEqual([304, digestOf(answer)])
        return [answer.bytes.length, digestOf(answer)] as const
      }),
    )
    const [[length]] = digests
    expect(new Set(digests.map(([, digest]) => digest)).size).toBe(Number(length) < 1024 ? 1 : 3)
  },
)

test.each(['/docs.jsonld', '/docs.jsonopenapi'])('%s is compressed to an eighth of its size or less', async (path) => {
  const { bytes } = await ask('GET', path)
  for (const accepted of codings)
    expect((await ask('GET', path, { 'Accept-Encoding': accepted })).bytes.length).toBeLessThan(bytes.length / 8)
})

test('the scripts of the reference page are compressed once, with one ETag and one digest for all clients', async () => {
  const page = await ask('GET', '/docs', { Accept: 'text/html', 'Accept-Encoding': 'gzip' })
  const [script] = /docs\/assets\/[\da-f]+\/swagger-ui\.css/.exec(textOf(page)) ?? []
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => ask('GET', `/${script}`, { 'Accept-Encoding': 'br' })),
  )
  for (const answer of answers) {
    expect([answer.status, answer.headers['content-encoding']]).toEqual([200, 'br'])
    expect([answer.headers.etag, answer.headers['repr-digest']]).toEqual([answers[0].headers.etag, digestOf(answer)])
  }
})

test('a problem over 1 kB is compressed; it has no ETag', async () => {
  const headers = { 'Content-Type': 'application/ld+json', Prefer: 'handling=strict' }
  const body = JSON.stringify(Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`unknown${n}`, n])))
  const plain = await ask('POST', '/meetings', headers, body)
  expectProblem(await ask('POST', '/meetings', { ...headers, Origin: 'https://x.example' }, body), 422)
  for (const coding of codings) {
    const answer = await ask('POST', '/meetings', { ...headers, 'Accept-Encoding': coding }, body)
    expect([answer.status, answer.headers['content-encoding']]).toEqual([422, coding])
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect([textOf(answer), answer.headers.etag]).toEqual([plain.text, undefined])
    expect(answer.headers['content-length']).toBe(`${answer.bytes.length}`)
  }
})

test('pipelined requests with different codings are answered in their order', async () => {
  const socket = connect(Number(new URL(publicUrl).port), '127.0.0.1')
  const accepted = ['gzip', '', 'br', 'gzip', '']
  const lines = accepted.map((coding, n) =>
    [`GET /countries HTTP/1.1`, 'Host: x', `X-Request-Id: ${n}`, coding && `Accept-Encoding: ${coding}`]
      .filter(Boolean)
      .join('\r\n'),
  )
  socket.write(`${lines.join('\r\n\r\n')}\r\nConnection: close\r\n\r\n`)
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString('latin1')
  expect([...text.matchAll(/X-Request-Id: (\d)/g)].map(([, n]) => Number(n))).toEqual([0, 1, 2, 3, 4])
  expect([...text.matchAll(/Content-Encoding: (\w+)/g)].map(([, coding]) => coding)).toEqual(['gzip', 'br', 'gzip'])
})

test('clients that leave at any moment of a compressed response harm no other', async () => {
  const { port } = new URL(publicUrl)
  for (const delay of [0, 1, 2, 5, 10, 20]) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
    socket.write(
      `GET /docs.jsonopenapi HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\nGET /countries HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n`,
    )
    await sleep(delay)
    socket.destroy()
  }
  const answer = await ask('GET', '/countries', { 'Accept-Encoding': 'gzip' })
  expect(JSON.parse(textOf(answer))['@id']).toBe('/countries')
})
