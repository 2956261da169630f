import { raw } from '../support/requests/raw-responses.ts'

const { text } = await raw('GET', '/docs', { Accept: 'text/html' })
const asset = /docs\/assets\/[^"]+/.exec(text)?.[0]

test.each(['/docs', `/${asset}`, '/health/live', '/health/ready', '/metrics', '/.well-known/jwks.json'])(
  'OPTIONS of %s says what may be asked there, without a body',
  async (path) => {
    const { status, headers, text: body } = await raw('OPTIONS', path)
    expect([status, headers.allow, body]).toEqual([204, 'OPTIONS, HEAD, GET', ''])
  },
)

test.each(['/health/live', '/health/ready', '/metrics', '/.well-known/jwks.json'])(
  '%s allows only GET, HEAD and OPTIONS',
  async (path) => {
    const { status, headers } = await raw('PUT', path)
    expect([status, headers.allow]).toEqual([405, 'OPTIONS, HEAD, GET'])
  },
)

test('a missing asset of Swagger UI gets 404', async () => {
  expect((await raw('GET', `/${asset?.replace(/[^/]+$/, 'nothing.js')}`)).status).toBe(404)
})
