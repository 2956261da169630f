import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { createApp } from '../../src/app.ts'
import { createHttpServer } from '../../src/runtime/http/http-server.ts'
import { openWorld } from '../support/world.ts'

const { config, ending, publicUrl, services, tenant, tokenOf } = await openWorld()

/*
 * The header could also be missing in errors and in each router outside the route table.
 * It could be missing in requests that are refused before the app is reached, for example a request that is not HTTP.
 */

const token = await tokenOf(tenant.users.owner)

const requests: [string, string][] = [
  ['the entrypoint', 'GET / HTTP/1.1'],
  ['a collection', 'GET /meetings HTTP/1.1'],
  ['a page', 'GET /meetings.html HTTP/1.1'],
  ['the documentation', 'GET /docs HTTP/1.1'],
  ['a context', 'GET /contexts/Meeting HTTP/1.1'],
  ['what is not there', 'GET /nowhere HTTP/1.1'],
  ['an image that is not there', `GET /images/${'0'.repeat(64)} HTTP/1.1`],
  ['a method that is not allowed', 'PUT /meetings HTTP/1.1'],
  ['a preflight', 'OPTIONS /meetings HTTP/1.1\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST'],
  ['an unsigned event', 'POST /webhooks/stripe HTTP/1.1\r\nContent-Length: 0'],
  ['health', 'GET /health/live HTTP/1.1'],
  ['metrics', 'GET /metrics HTTP/1.1'],
  ['the keys', 'GET /.well-known/jwks.json HTTP/1.1'],
  ['a path that is broken', 'GET /%zz HTTP/1.1'],
  ['an unknown expectation', 'GET / HTTP/1.1\r\nExpect: wonders'],
  ['headers that are too large', `GET / HTTP/1.1\r\nX-Large: ${'x'.repeat(20_000)}`],
  ['what is not HTTP', 'NONSENSE'],
]

// RFC 6797 §7.1: a host says so in every response over TLS, and §7.2: in none without.
test.each(requests)('%s is answered with Strict-Transport-Security if PUBLIC_URL is https', async (_, head) => {
  expect(await answerTo('https://api.example', head)).toMatch(/^Strict-Transport-Security: max-age=31536000\r$/m)
  expect(await answerTo(publicUrl, head)).not.toMatch(/strict-transport/i)
})

const servers = new Map<string, Promise<number>>()

async function answerTo(address: string, head: string): Promise<string> {
  const port = servers.get(address) ?? serve(address)
  servers.set(address, port)
  const socket = connect(await port, '127.0.0.1')
  socket.write(`${head}\r\nHost: api.example\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`)
  return text(socket)
}

async function serve(address: string): Promise<number> {
  const settings = { ...config, publicUrl: address }
  const app = await createApp({ ...services, config: settings })
  const server = createHttpServer(app, address).listen(0, '127.0.0.1')
  ending.unshift(async () => {
    server.close()
    await once(server, 'close')
  })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
