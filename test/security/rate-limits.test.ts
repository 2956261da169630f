import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import request, { type Test } from 'supertest'
import { createApp } from '../../src/app.ts'
import { Browser } from '../support/browser.ts'
import { openWorld } from '../support/world.ts'

const { config, elsewhere, services, tenant, tokenOf } = await openWorld()

const limits = { usual: 20, few: 3 }
let server: Server

/** Each test has a server that has not counted anything yet, behind a proxy that tells addresses. */
beforeEach(async () => {
  const app = await createApp({ ...services, config: { ...config, trustProxy: true, limits } })
  server = app.listen(0)
})
afterEach(() => new Promise((resolve) => server.close(resolve)))

const at = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const { owner, admin } = tenant.users
const asked = async (user = owner): Promise<Test> =>
  request(at())
    .get('/locations')
    .set('Authorization', `Bearer ${await tokenOf(user)}`)
const guess = async () =>
  request(at())
    .post('/subscriptions/apply-coupon')
    .set('Authorization', `Bearer ${await tokenOf(owner)}`)
    .send({ code: 'GUESS' })
const from = (address: string, token = 'Bearer nonsense') =>
  request(at()).get('/countries').set('X-Forwarded-For', address).set('Authorization', token)

test('every answer tells what is left of the minute', async () => {
  const { headers } = await asked()
  expect(headers['ratelimit-policy']).toBe('"usual";q=20;w=60')
  expect(headers.ratelimit).toMatch(/^"usual";r=19;t=(60|59)$/)
  expect((await asked()).headers.ratelimit).toMatch(/^"usual";r=18;/)
})

test('one request too many is refused, and told when to come back', async () => {
  for (let count = 0; count < limits.usual; count++) expect((await asked()).status).toBe(200)
  const { status, headers, body } = await asked()
  expect([status, body.title]).toEqual([429, 'Too Many Requests'])
  expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  expect(body.detail).toMatch(/^More than 20 requests were sent in a minute\. Retry in \d+ seconds\.$/)
  expect(headers.ratelimit).toMatch(/r=0;/)
})

test('each caller has its own count', async () => {
  for (let count = 0; count <= limits.usual; count++) await asked()
  expect((await asked()).status).toBe(429)
  expect((await asked(admin)).status).toBe(200)
  expect((await asked(elsewhere.users.owner)).status).toBe(200)
})

test('tokens cannot be tried on the sign-in page but a few times a minute', async () => {
  const browser = new Browser(server)
  for (let count = 0; count < limits.few; count++) await browser.submit('/session', { token: 'guess' }).expect(401)
  await browser.submit('/session', { token: await tokenOf(owner) }).expect(429)
  expect((await asked()).status).toBe(200)
})

test('a form above the limit is answered by the page of the problem, and is not drawn again', async () => {
  const browser = new Browser(server)
  await browser.signIn(await tokenOf(owner))
  const { text } = await browser.open('/locations?view=create').expect(200)
  const hidden = [...text.matchAll(/name="(_\w+)" value="([^"]*)"/g)].map(([, name, value]): [string, string] => [
    name,
    value,
  ])
  expect(hidden.map(([name]) => name)).toEqual(['_token', '_page', '_key'])
  const send = () => browser.submit('/locations', [...hidden, ['officeOpenHour', '99']])
  expect((await send()).text).toContain('class="operation"')
  for (let count = 0; count <= limits.usual; count++) await send()
  const refused = await send()
  expect(refused.status).toBe(429)
  expect(refused.text).not.toContain('class="operation"')
})

test('codes cannot be guessed but a few times a minute, and all else can still be asked', async () => {
  const statuses = []
  for (let count = 0; count <= limits.few; count++) statuses.push((await guess()).status)
  expect(statuses).toEqual([409, 409, 409, 429])
  expect((await asked()).status).toBe(200)
})

test('bad tokens are counted by address, so that guessing is slow', async () => {
  for (let count = 0; count < limits.usual; count++) expect((await from('192.0.2.1')).status).toBe(401)
  expect((await from('192.0.2.1')).status).toBe(429)
  expect((await from('192.0.2.2')).status).toBe(401)
})

test('all addresses of one IPv6 /64 network share one count', async () => {
  for (let count = 0; count < limits.usual; count++) await from(`2001:db8::${count.toString(16)}`)
  expect((await from('2001:db8:0:0:ffff::1')).status).toBe(429)
  expect((await from('2001:db8:0:1::1')).status).toBe(401)
})
