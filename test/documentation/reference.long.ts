import { enableBanking } from '../banking/linked-bank.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { type Agent, morning, openWorld } from '../support/world.ts'
import { type Endpoint, endpoints, reference } from './reference.ts'

const { as, foundTenant } = await openWorld()

type World = Awaited<ReturnType<typeof newWorld>>

interface Walk {
  status: number
  body(world: World): object
  before?(world: World): Promise<unknown>
}

/** The smallest PNG: one transparent pixel. */
const image = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)

/** The request to each endpoint that writes, and its status in a demo organization with manual billing. */
const writes: Record<string, Walk> = {
  'POST /organizations': { status: 201, body: () => ({ name: 'Umbrella' }) },
  'POST /organizations/clear': { status: 201, body: ({ slug }) => ({ confirm: slug }) },
  'POST /organizations/icon': { status: 201, body: () => image },
  'POST /organizations/logo': { status: 201, body: () => image },
  'PATCH /organizations/mail-footer': { status: 200, body: () => ({ mailFooter: '<p>Regards</p>' }) },
  'POST /locations': { status: 201, body: () => ({ name: 'Quay', officeOpenHour: 9, officeCloseHour: 17 }) },
  'PATCH /locations/{id}': { status: 200, body: () => ({ officeOpenHour: 9, officeCloseHour: 20 }) },
  'POST /languages': { status: 201, body: () => ({ id: 'nl-BE' }) },
  'POST /integrations/kontomatik/pull': { status: 202, body: () => ({}) },
  'POST /integrations/kontomatik/revoke': { status: 202, body: () => ({}) },
  'POST /integrations/kontomatik/setup': {
    status: 201,
    body: () => ({ redirectUri: 'https://app.example/bank/return' }),
  },
  'POST /meetings': { status: 201, body: ({ rows }) => ({ employee: `/employees/${rows.Employee.id}`, ...morning }) },
  'PATCH /meetings/{id}': { status: 200, body: () => ({ notes: null }) },
  'POST /subscriptions': {
    status: 201,
    body: () => ({}),
    before: ({ owner, rows }) => owner.post(`/subscriptions/${rows.Subscription.id}/cancel`, { immediately: true }),
  },
  'POST /subscriptions/{id}/cancel': { status: 201, body: () => ({}) },
  'POST /subscriptions/apply-coupon': { status: 409, body: () => ({ code: 'SPRING' }) },
  'POST /subscriptions/clear-coupon': { status: 409, body: () => ({}) },
}

test('the reference has 31 endpoints', () => {
  expect(Object.fromEntries(reference.map((section) => [section.name, section.endpoints.length]))).toEqual({
    Organization: 8,
    Location: 4,
    Country: 2,
    Language: 3,
    Integration: 3,
    Meeting: 4,
    Subscription: 7,
  })
  expect(Object.keys(writes)).toEqual(endpoints.filter(({ method }) => method !== 'GET').map(keyOf))
})

describe('The reference describes the response to an owner:', () => {
  test.each(endpoints)('$method $path', async (endpoint) => {
    const world = await newWorld()
    const walk = writes[keyOf(endpoint)]
    await walk?.before?.(world)
    const { status, headers, body } = await ask(world.owner, endpoint, world)

    const expected = walk?.status ?? 200
    expect({ status, detail: body.detail }).toEqual({
      status: expected,
      detail: expected < 400 ? undefined : expect.any(String),
    })
    const type = status < 400 ? 'application/ld+json' : 'application/problem+json'
    expect(headers['content-type']).toBe(`${type}; charset=utf-8`)
    expect(headers.location).toBe(status === 201 ? body['@id'] : undefined)
    expect(headers.link).toMatch(/^<http[^>]+\/docs\.jsonld>; rel="http:\/\/www\.w3\.org\/ns\/hydra\/core#apiDoc/)
  })
})

describe('Without a token only countries are readable:', () => {
  test.each(endpoints)('$method $path', async (endpoint) => {
    const { status, headers, body } = await ask(as(), endpoint, await newWorld())

    expect(status).toBe(endpoint.of === 'Country' ? 200 : 401)
    if (status === 200) return
    expect(headers['www-authenticate']).toMatch(/^Bearer/)
    expect(body).toMatchObject({ '@context': '/contexts/Error', '@id': '/errors/401', status: 401 })
  })
})

test.each(['pull', 'revoke'])('%s without a linked bank gets 404', async (action) => {
  const { organization, users } = await foundTenant('Bankless', `bankless-${action}`)
  await enableBanking(organization.id)
  const { status, body } = await as(users.owner).post(`/integrations/kontomatik/${action}`, {})
  expect({ status, detail: body.detail }).toEqual({ status: 404, detail: 'No bank has been linked yet.' })
})

let worlds = 0

/** An organization with one row of everything. */
async function newWorld() {
  worlds += 1
  const slug = `demo-${worlds}`
  const tenant = await foundTenant('Demo', slug, { demo: true })
  return { slug, owner: as(tenant.users.owner), rows: await rowsOf(tenant) }
}

function ask(agent: Agent, endpoint: Endpoint, world: World) {
  const { method, of, path } = endpoint
  const url = path.replace('{id}', of === 'Country' ? 'NL' : world.rows[of]?.id)
  const body = writes[keyOf(endpoint)]?.body(world)
  if (method === 'GET') return agent.get(url)
  if (method === 'PATCH') return agent.patch(url, body)
  return Buffer.isBuffer(body) ? agent.post(url).attach('file', body, 'image.png') : agent.post(url, body)
}

function keyOf({ method, path }: Endpoint): string {
  return `${method} ${path}`
}
