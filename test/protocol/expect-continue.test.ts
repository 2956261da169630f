const { given, publicUrl, tenant, tokenOf } = await openWorld()

// RFC 9110 §10.1.1, §15.5.14: an error in the request line or a header is answered before the body is sent or read.
// The same mistake could be in every route with a body (JSON, Turtle, patches, forms, webhooks), and in every refusal.
import { once } from 'node:events'
import { connect } from 'node:net'
import { createBrotliCompress, createGzip } from 'node:zlib'
import { Location } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'

const { owner, member } = tenant.users
const [token, little] = [await tokenOf(owner), await tokenOf(member)]
const { id } = await given(Location, { name: 'Here' })
const megabyte = 1024 * 1024

/** Sends a text over a new connection, and returns the responses until a timeout, or until the server closes it. */
async function exchange(text: string, { body = '', timeoutMs = 1500, count = 1 } = {}) {
  const { hostname, port } = new URL(publicUrl)
  const socket = connect(Number(port), hostname).on('error', () => {})
  let received = ''
  let isClosed = false
  const late = new Promise((resolve) => setTimeout(resolve, timeoutMs).unref())
  socket.on('data', (piece) => {
    received += piece
    if (body && /^HTTP\/1.1 100 /.test(received)) {
      socket.write(body)
      body = ''
    }
  })
  const closed = once(socket, 'close').then(() => {
    isClosed = true
  })
  socket.write(text)
  const whole = (async () => {
    while ((!/\r\n\r\n.*\}(\r\n0\r\n\r\n)?$/s.test(received) || statusesOf(received).length < count) && !isClosed)
      await new Promise((resolve) => setTimeout(resolve, 5))
  })()
  await Promise.race([late, closed, whole])
  if (/^connection: close/im.test(received)) await Promise.race([late, closed])
  const answer = { statuses: statusesOf(received), isClosed, text: received }
  socket.destroy()
  return answer
}

/** The statuses of the received responses, in order. */
const statusesOf = (received: string) => [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))

const head = (line: string, headers: Record<string, string | number>) =>
  `${line} HTTP/1.1\r\n${Object.entries({ Host: 'x', ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

const bearer = { Authorization: `Bearer ${token}` }
const json = { ...bearer, 'Content-Type': 'application/json' }
const form = { ...bearer, 'Content-Type': 'multipart/form-data; boundary=x' }
const routes: [line: string, headers: Record<string, string | number>, limit: number][] = [
  ['POST /locations', json, 256 * 1024],
  ['POST /locations', { ...bearer, 'Content-Type': 'text/turtle' }, 256 * 1024],
  [`PATCH /locations/${id}`, { ...bearer, 'Content-Type': 'application/merge-patch+json' }, 256 * 1024],
  [`DELETE /organization-addresses/${id}`, bearer, 256 * 1024],
  ['POST /organizations/logo', form, 3 * megabyte],
  ['POST /webhooks/stripe', { 'Content-Type': 'application/json' }, megabyte],
]

describe.each(routes)('%s', (line, headers, limit) => {
  test('a Content-Length above the limit is refused with 413 at once', async () => {
    const { statuses, text } = await exchange(head(line, { ...headers, 'Content-Length': limit + 1 }))
    expect(statuses).toEqual([413])
    expect(text).toMatch(/"detail":"The (body|file) is too large\. The limit is \d+ (kB|MiB)\."/)
  })

  test('with Expect, a body above the limit gets 413 without 100, and the connection closes', async () => {
    const sent = { ...headers, 'Content-Length': limit + 1, Expect: '100-continue' }
    const { statuses, isClosed } = await exchange(head(line, sent))
    expect([statuses, isClosed]).toEqual([[413], true])
  })

  test('chunks are refused with 413 as soon as they pass the limit', async () => {
    const sent = { ...headers, 'Transfer-Encoding': 'chunked' }
    const chunk = 'x'.repeat(limit + 65_537)
    const { statuses } = await exchange(`${head(line, sent)}${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    expect(statuses).toEqual([413])
  })

  test('another Expect is refused with 417', async () => {
    const { statuses, text } = await exchange(head(line, { ...headers, 'Content-Length': 2, Expect: 'something-else' }))
    expect(statuses).toEqual([417])
    expect(text).toContain('something-else')
  })
})

const expecting = { 'Content-Length': 100, Expect: '100-continue' }
test.each<[number, string, Record<string, string | number>]>([
  [401, 'POST /locations', { 'Content-Type': 'application/json' }],
  [401, 'POST /locations', { ...json, Authorization: 'Bearer x' }],
  [403, 'POST /locations', { ...json, Authorization: `Bearer ${little}` }],
  [404, 'POST /nothing-here', json],
  [405, 'PUT /locations', json],
  [405, 'POST /countries', json],
  [406, 'POST /locations', { ...json, Accept: 'image/png' }],
  [415, 'POST /locations', { ...json, 'Content-Type': 'text/plain' }],
  [415, 'POST /locations', { ...json, 'Content-Encoding': 'x' }],
  [415, 'POST /organizations/logo', json],
  [415, 'POST /organizations/logo', { ...form, 'Content-Encoding': 'gzip' }],
  [415, 'POST /webhooks/stripe', { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }],
])('%i is sent before 100 Continue: %s', async (status, line, headers) => {
  const { statuses, isClosed } = await exchange(head(line, { ...headers, ...expecting }))
  expect([statuses, isClosed]).toEqual([[status], true])
})

test('a valid request gets 100 Continue, and its connection stays open', async () => {
  const body = '{"name":"Continued"}'
  const sent = head('POST /locations', { ...json, 'Content-Length': body.length, Expect: '100-continue' })
  const { statuses, isClosed } = await exchange(sent, { body })
  expect([statuses, isClosed]).toEqual([[100, 201], false])
})

test('the rest of a refused body is drained, and the next request on the connection is answered', async () => {
  const body = 'x'.repeat(300_000)
  const first = `${head('POST /locations', { ...json, 'Content-Length': body.length })}${body}`
  const { statuses } = await exchange(`${first}${head('GET /countries/NL', { Connection: 'close' })}`, { count: 2 })
  expect(statuses).toEqual([413, 200])
})

test.each([
  ['gzip', createGzip],
  ['br', createBrotliCompress],
])('a %s body that decompresses above the limit is refused with 413 before all of it is sent', async (coding, pack) => {
  const packer = pack()
  const pieces: Buffer[] = []
  packer.on('data', (piece) => pieces.push(piece))
  packer.write(Buffer.alloc(64 * megabyte, ' '))
  packer.flush(() => packer.end())
  await once(packer, 'end')
  const body = Buffer.concat(pieces)
  const sent = { ...json, 'Content-Encoding': coding, 'Content-Length': body.length + 10 }
  const { hostname, port } = new URL(publicUrl)
  const socket = connect(Number(port), hostname).on('error', () => {})
  socket.write(head('POST /locations', sent))
  socket.write(body)
  const [piece] = await once(socket, 'data')
  expect(String(piece)).toMatch(/^HTTP\/1\.1 413 /)
  socket.destroy()
})
