import { once } from 'node:events'
import { createApp } from '../../src/app.ts'
import { createHttpServer } from '../../src/runtime/http/http-server.ts'
import { Browser } from '../support/browser.ts'
import { openWorld } from '../support/world.ts'

const { config, ending, server, services, tenant, tokenOf } = await openWorld()
const { owner } = tenant.users

test.each([
  ['https://api.example', /^__Host-session=[\w-]{43}; .*Path=\/; .*HttpOnly; Secure; SameSite=Strict$/],
  ['https://api.example/org', /^__Secure-session=[\w-]{43}; .*Path=\/org; .*HttpOnly; Secure; SameSite=Strict$/],
  ['http://127.0.0.1:3000/org', /^session-3000=[\w-]{43}; .*Path=\/org; .*HttpOnly; SameSite=Strict$/],
  ['http://[::1]:3000', /^session-3000=[\w-]{43}; .*Path=\/; .*HttpOnly; SameSite=Strict$/],
  ['https://localhost', /^session-443=[\w-]{43}; .*Path=\/; .*HttpOnly; Secure; SameSite=Strict$/],
])('the cookie of %s has the name and the path that belong to it', async (address, expected) => {
  const browser = new Browser(await serve({ publicUrl: address }))
  const root = new URL(address).pathname.replace(/\/$/, '')
  const { headers } = await browser.submit(`${root}/session`, { token: await tokenOf(owner) }).expect(303)
  expect((headers['set-cookie'] as unknown as string[])[0]).toMatch(expected)
  expect((await browser.open(`${root}/meetings.json`)).status).toBe(200)
})

test('EXPLORER=off serves no page but the reference, and lets no cookie count', async () => {
  const browser = new Browser(server)
  await browser.signIn(await tokenOf(owner))
  const address = await serve({ explorer: false })
  const plain = new Browser(address)
  await plain.open('/session').expect(404)
  await plain
    .open('/meetings')
    .set('Cookie', [...browser.cookies].map((pair) => pair.join('=')).join('; '))
    .expect(401)
  const reference = await plain.open('/docs/reference').expect(200)
  expect(reference.text).not.toContain('href="/session')
})

async function serve(different: object): Promise<string> {
  const settings = { ...config, ...different }
  const app = await createApp({ ...services, config: settings })
  const started = createHttpServer(app, settings.publicUrl).listen(0, '127.0.0.1')
  await once(started, 'listening')
  ending.unshift(async () => {
    started.closeAllConnections()
    started.close()
  })
  return `http://127.0.0.1:${(started.address() as { port: number }).port}`
}
