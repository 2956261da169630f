import { connect, type Socket } from 'node:net'
import { Meeting } from '../../entities/index.ts'
import { links, raw } from '../support/requests/raw-responses.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, given, publicUrl, server, tenant, tokenOf } = await openWorld()

test.each([
  ['what is not HTTP', 'HELO there\r\n\r\n', 400],
  ['a header that is larger than 16 kB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
])('%s gets a problem with a link to the documentation', async (_, bytes, status) => {
  const answer = await sendBytes(bytes)

  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(answer).toContain(`Link: ${links.documentation}\r\n`)
  expect(JSON.parse(answer.split('\r\n\r\n')[1])).toMatchObject({
    '@type': 'Error',
    '@id': `/errors/${status}`,
    status,
  })
})

describe('An absolute URL as request target means its path (RFC 9112 §3.2.2):', () => {
  test.each([
    ['GET', '/countries/NL'],
    ['GET', '/countries/nl?x=1'],
    ['GET', '/countries.csv?itemsPerPage=2'],
    ['GET', '/meetings?itemsPerPage=1'],
    ['GET', '/users/me'],
    ['GET', '/'],
    ['GET', '/docs.jsonld'],
    ['GET', '/docs'],
    ['GET', '/contexts/Meeting'],
    ['GET', '/errors/404'],
    ['GET', '/health/ready'],
    ['GET', '/metrics'],
    ['GET', '/images/x'],
    ['GET', '/nothing'],
    ['GET', '//countries'],
    ['DELETE', '/countries'],
    ['OPTIONS', '/meetings'],
  ])('%s %s', async (method, path) => {
    const headers = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
    const { status, text, headers: expected } = await raw(method, path, headers)
    for (const start of [publicUrl, 'HTTP://Other.example', 'https://api.example:8443']) {
      const answer = await raw(method, start + path, headers)
      expect([answer.status, answer.headers.location, answer.headers.allow]).toEqual([
        status,
        expected.location,
        expected.allow,
      ])
      if (path !== '/metrics' && path !== '/users/me') expect(answer.text).toBe(text)
    }
  })

  test('an empty path is the root, a POST works, and an invalid URL is refused', async () => {
    for (const target of ['http://x.example', 'http://x.example?a=1'])
      expect(JSON.parse((await raw('GET', target)).text)['@id']).toBe('/')
    const path = `/meetings/${(await given(Meeting, morning)).id}`
    const type = { 'Content-Type': 'application/merge-patch+json' }
    const headers = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}`, ...type }
    expect((await raw('PATCH', publicUrl + path, headers, '{"notes":"x"}')).status).toBe(200)
    expect((await api.get(path)).body.notes).toBe('x')
    for (const target of ['ftp://x.example/countries', 'http:/countries', '*'])
      expect([400, 404]).toContain((await raw('GET', target)).status)
  })

  test('OPTIONS of the whole server is answered', async () => {
    expect((await raw('OPTIONS', '*')).status).toBe(204)
  })
})

test.each(['/meetings', `/meetings/${(await given(Meeting, morning)).id}`])(
  'the response to GET %s is one write',
  async (path) => {
    let writes = 0
    const watch = (socket: Socket) => {
      const write = socket.write.bind(socket) as (...given: unknown[]) => boolean
      socket.write = (...given: unknown[]) => {
        writes++
        return write(...given)
      }
    }
    server.on('connection', watch)
    const authorization = `Authorization: Bearer ${await tokenOf(tenant.users.owner)}`
    const answer = await sendBytes(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${authorization}\r\n\r\n`)
    server.off('connection', watch)
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    expect(writes).toBe(1)
  },
)

function sendBytes(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(publicUrl)
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    let heard = ''
    socket.on('data', (data) => {
      heard += data
    })
    socket.on('end', () => resolve(heard))
    socket.on('error', reject)
  })
}
