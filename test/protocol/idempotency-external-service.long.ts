import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import request from 'supertest'
import { IdempotencyKey, Location } from '../../entities/index.ts'
import { apiOptions } from '../../src/api.ts'
import { Api, type Call, listOperation, type Operation, Problem, Resource } from '../../src/hydra/index.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/world.ts'

const { config, database, organization, tenant } = await openWorld()

/** The behaviour of the next call to the external service. */
let outcome: () => unknown
/** The ids of the calls to the external service. */
let called: string[]

/** A sample operation that charges: a local row, a call to an external service, and the result in the row. */
const charge = (path: string, outside?: true): Operation<Location> => ({
  name: `charge${path.slice(1)}`,
  method: 'POST',
  path,
  title: () => 'Charges',
  returns: 'item',
  statuses: [201],
  callsExternalService: outside,
  async handle(call) {
    const { id } = await localRow(call)
    called.push(call.request.claim)
    await outcome()
    await call.manager.update(Location, { id }, { name: `charged ${id}` })
    return call.get(Location, id)
  },
})

/** The row is named after the claim, so a resumed claim finds it again. */
async function localRow(call: Call<Location>): Promise<Location> {
  const known = await call.manager.findOneBy(Location, { id: call.request.claim })
  return (
    known ??
    call.unitOfWork.insert(
      Object.assign(new Location(), { id: call.request.claim, organizationId, name: call.request.claim }),
    )
  )
}

const { id: organizationId } = organization
const table = [
  new Resource(Location, '/locations', [listOperation<Location>(), charge('/within'), charge('/around', true)]),
]
const api = new Api(table as Resource[], database, { ...apiOptions, ...config, languages: undefined })
const { issuer, subject, id: user } = tenant.users.owner
const caller = { role: 'owner', user, tenant: organizationId, bearer: { issuer, subject } } as const
const refusal: ErrorRequestHandler = (error, _request, response, _next) =>
  api.writeProblem(api.problemOf(error) ?? new Problem(500, 'Broken.'), response)
let server: Server

beforeAll(async () => {
  const app = express().use(api.router({ authenticate: async () => caller }))
  app.use(refusal)
  server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, () => resolve(listening))
  })
})
beforeEach(() => {
  called = []
  outcome = () => {}
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

let keys = 0
const newKey = () => `outside-${++keys}`
const post = (path: string, key: string) =>
  request(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    .post(`/locations${path}`)
    .set('Idempotency-Key', key)
const rows = () => database.manager.count(Location)
const age = (key: string, seconds: number) =>
  database.manager.update(IdempotencyKey, { key }, { claimedAt: new Date(Date.now() - seconds * 1000) })
const refused = () => {
  throw new Problem(402, 'The card was declined.', { 'X-Decline': 'generic' })
}

describe.each(['/within', '/around'])('POST %s', (path) => {
  test('with a repeated key runs once', async () => {
    const key = newKey()
    const first = await post(path, key)
    const again = await post(path, key)
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
    expect([again.headers['idempotent-replayed'], called.length]).toEqual(['true', 1])
  })

  test('that is refused with 402 gets the same refusal when it is repeated', async () => {
    const key = newKey()
    outcome = refused
    const first = await post(path, key)
    outcome = () => {}
    const again = await post(path, key)

    expect([first.status, again.status, again.text]).toEqual([402, 402, first.text])
    expect(again.headers).toMatchObject({ 'x-decline': 'generic', 'idempotent-replayed': 'true' })
    expect(called).toHaveLength(1)
    if (path === '/within') expect(await database.manager.countBy(Location, { id: called[0] })).toBe(0)
  })

  test('that is refused for another reason can be retried with the key', async () => {
    const key = newKey()
    outcome = () => {
      throw new Problem(409, 'Not now.')
    }
    expect((await post(path, key)).status).toBe(409)
    outcome = () => {}
    expect((await post(path, key)).status).toBe(201)
  })
})

test('the claim is committed and no transaction is open during a call to an external service', async () => {
  const key = newKey()
  let open: unknown[] = []
  let claims = 0
  outcome = async () => {
    open = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
    )
    claims = await database.manager.countBy(IdempotencyKey, { key })
  }
  expect((await post('/around', key)).status).toBe(201)
  expect([open, claims]).toEqual([[], 1])
})

test('of twenty concurrent requests one calls the external service, and the others get 409', async () => {
  const key = newKey()
  outcome = () => new Promise((resolve) => setTimeout(resolve, 300))
  const answers = await Promise.all(Array.from({ length: 20 }, () => post('/around', key)))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)])
  expect(answers.find(({ status }) => status === 409)?.headers['retry-after']).toBe('60')
  expect(called).toHaveLength(1)
})

test('a request whose process died is resumed after a minute with the same id and the same row', async () => {
  const key = newKey()
  let end = () => {}
  outcome = () =>
    new Promise<void>((resolve) => {
      end = resolve
    })
  const crashed = post('/around', key).then((answer) => answer)
  await eventually(() => expect(called).toHaveLength(1))
  const before = await rows()
  await age(key, 59)
  expect((await post('/around', key)).status).toBe(409)
  await age(key, 61)
  outcome = () => {}
  const resumed = await post('/around', key)

  expect(resumed.status).toBe(201)
  expect(called).toEqual([called[0], called[0]])
  expect(await rows()).toBe(before)
  end()
  await crashed
  expect((await post('/around', key)).text).toBe(resumed.text)
})

test('a call of unknown outcome is repeated at once with the same id', async () => {
  const key = newKey()
  outcome = () => {
    throw new Error('the line went dead')
  }
  expect((await post('/around', key)).status).toBe(500)
  expect((await post('/around?other', key)).status).toBe(422)
  outcome = () => {}
  expect((await post('/around', key)).status).toBe(201)
  expect(called).toEqual([called[0], called[0]])
})

test('every request without a key has its own id', async () => {
  const { port } = server.address() as AddressInfo
  for (let n = 0; n < 2; n++)
    expect((await request(`http://127.0.0.1:${port}`).post('/locations/around')).status).toBe(201)
  expect(new Set(called).size).toBe(2)
})
