import { connect } from 'node:net'
import type { PoolClient } from 'pg'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { Employee, OrganizationUser } from '../../entities/index.ts'
import { eventually } from '../support/eventually.ts'
import { watch } from '../support/page-statements.ts'
import { openStream, type ReceivedStream } from '../support/requests/event-stream.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, operator, organization, person, publicUrl, served, tenant, tokenOf } =
  await openWorld()
const { admin, member, owner } = tenant.users

const listen = async (user: typeof owner, query: string, headers: Record<string, string> = {}) => {
  const stream = await openStream(`${publicUrl}/.well-known/mercure?${query}`, {
    Authorization: `Bearer ${await tokenOf(user)}`,
    ...headers,
  })
  open.push(stream)
  return stream
}

/** Closed after each test: a caller may have ten streams. */
const open: ReceivedStream[] = []

afterEach(() => {
  for (const stream of open.splice(0)) stream.close()
})

/** The id that a stream sends before its first event. */
const lastIdOf = async (stream: ReceivedStream): Promise<string> => {
  await eventually(() => expect(stream.lastEventId).not.toBe(''))
  return stream.lastEventId
}

test('a reader of a collection hears of a create, and of each update with its version', async () => {
  const stream = await listen(owner, 'topic=/meetings')
  expect(stream.status).toBe(200)
  expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(stream.headers.get('cache-control')).toContain('no-store')
  expect(stream.headers.get('x-accel-buffering')).toBe('no')
  const { body: meeting } = await api
    .post('/meetings')
    .send({ ...morning, employee: null })
    .expect(201)
  expect(await stream.next()).toEqual({ '@id': meeting['@id'], type: 'create', collection: '/meetings', version: 1 })
  await api.patch(meeting['@id']).send({ notes: 'Bring a ladder' }).expect(200)
  expect(await stream.next()).toEqual({ '@id': meeting['@id'], type: 'update', collection: '/meetings', version: 2 })
})

test('topics are IRIs of items, URI templates, absolute IRIs and "*"', async () => {
  const [one, other] = [await given(Employee, { name: 'Joost' }), await given(Employee, { name: 'Sanne' })]
  const streams = await Promise.all(
    [`/employees/${one.id}`, '/employees/{id}', `${publicUrl}/employees`, '*', '/locations'].map((topic) =>
      listen(owner, `topic=${encodeURIComponent(topic)}`),
    ),
  )
  await api.patch(`/employees/${other.id}`).send({ jobTitle: 'Monteur' }).expect(200)
  await api.patch(`/employees/${one.id}`).send({ jobTitle: 'Kantoor' }).expect(200)
  await api.post('/locations').send({ name: 'Almere' }).expect(201)
  const heard = (iri: string, type = 'update') => expect.objectContaining({ '@id': iri, type })
  const both = [heard(`/employees/${other.id}`), heard(`/employees/${one.id}`)]
  expect(await streams[0].next()).toEqual(both[1])
  for (const stream of streams.slice(1, 4)) expect([await stream.next(), await stream.next()]).toEqual(both)
  expect(await streams[4].next()).toMatchObject({ type: 'create', collection: '/locations' })
})

test.each([
  ['no topic', ''],
  ['a variable that is part of a segment', 'topic=/meetings/a{id}'],
  ['more than 100 topics', Array(101).fill('topic=/meetings').join('&')],
])('%s is refused with 400', async (_, query) => {
  expect((await listen(owner, query)).status).toBe(400)
})

test('a write is notified after its commit, by a statement of its own with nothing in it', async () => {
  const connections = new Map<PoolClient, string[]>()
  const { master } = served.driver as PostgresDriver
  master.on('acquire', (client: PoolClient) => {
    if (connections.has(client)) return
    const sent: string[] = []
    connections.set(client, sent)
    watch(client, ({ text }) => sent.push(text))
  })
  await api.post('/locations').set('Idempotency-Key', 'notified').send({ name: 'Notified' }).expect(201)
  const sent = () => [...connections.values()].map((texts) => texts.join('\n'))
  await eventually(() => expect(sent().join('\n')).toContain('NOTIFY'))
  const transactions = sent().flatMap(
    (texts) => texts.match(/^(START TRANSACTION|BEGIN).*?^(COMMIT|ROLLBACK)/gms) ?? [],
  )
  expect(transactions.filter((texts) => texts.includes('"location"'))).toHaveLength(1)
  expect(transactions.filter((texts) => /notify/i.test(texts))).toEqual([])
  const notifications = [...connections.values()].flat().filter((text) => /notify/i.test(text))
  expect(new Set(notifications)).toEqual(new Set(['NOTIFY "change"']))
})

test('no token is 401, and a caller who acts for no organization is 403', async () => {
  expect((await openStream(`${publicUrl}/.well-known/mercure?topic=*`)).status).toBe(401)
  expect((await listen(await person('lonely'), 'topic=*')).status).toBe(403)
  expect((await listen(operator, 'topic=*')).status).toBe(403)
})

test('the changes of several classes arrive in the order in which they were made', async () => {
  const before = await listen(owner, 'topic=*')
  const lastId = await lastIdOf(before)
  before.close()
  const made: string[] = []
  for (const [path, body] of [
    ['/locations', { name: 'Zwolle' }],
    ['/meetings', { ...morning, employee: null }],
    ['/locations', { name: 'Deventer' }],
    ['/employees', { name: 'Mees' }],
  ] as const)
    made.push((await api.post(path).send(body).expect(201)).body['@id'])
  const stream = await listen(owner, 'topic=/locations/{id}&topic=/meetings/{id}&topic=/employees/{id}', {
    'Last-Event-ID': lastId,
  })
  const heard: unknown[] = []
  while (heard.length < made.length) heard.push((await stream.next())['@id'])
  expect(heard).toEqual(made)
})

test('a reader that leaves before its stream begins holds none', async () => {
  const { hostname, port } = new URL(publicUrl)
  for (let count = 0; count < 12; count++) {
    const token = await tokenOf(owner)
    const socket = connect(Number(port), hostname)
    const request = `GET /.well-known/mercure?topic=* HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`
    await new Promise<void>((sent) => socket.write(request, () => sent()))
    socket.destroy()
  }
  // It is identified after them, so each of them that held a stream would do so by now.
  const later = await listen(owner, 'topic=*')
  expect(later.status).toBe(200)
  later.close()
  await eventually(
    async () => (await as(operator).get('/metrics')).text,
    (text) => expect(text).toMatch(/^change_streams_open 0$/m),
  )
})

test('an organization hears nothing of another one', async () => {
  const stream = await listen(owner, 'topic=*')
  await as(elsewhere.users.owner).post('/locations').send({ name: 'Hidden' }).expect(201)
  await api.post('/locations').send({ name: 'Seen' }).expect(201)
  const { body } = await api.get((await stream.next())['@id'] as string)
  expect(body.name).toBe('Seen')
})

test('a role hears only of rows that it may read', async () => {
  const own = await given(Employee, { name: 'Member', userId: member.id })
  const streams = [await listen(member, 'topic=*'), await listen(admin, 'topic=*')]
  const others = await api
    .post('/meetings')
    .send({ ...morning, employee: null })
    .expect(201)
  const invitation = await api
    .post('/organization-user-invitations')
    .send({ email: 'new@acme.example', role: 'member' })
  const mine = await api
    .post('/meetings')
    .send({ ...morning, employee: `/employees/${own.id}` })
    .expect(201)
  const heard = async (stream: (typeof streams)[0], last: string): Promise<unknown[]> => {
    const iris: unknown[] = []
    while (iris.at(-1) !== last) iris.push((await stream.next())['@id'])
    return iris
  }
  expect(await heard(streams[0], mine.body['@id'])).toEqual([mine.body['@id']])
  const seenByAdmin = await heard(streams[1], mine.body['@id'])
  expect(seenByAdmin).toEqual(expect.arrayContaining([others.body['@id'], invitation.body['@id']]))
  expect(seenByAdmin.filter((iri) => String(iri).startsWith('/audit-events'))).toEqual([])
})

test('a stream ends when the membership does, and sends nothing after that', async () => {
  const leaver = await person('leaver')
  await database.query(
    `INSERT INTO "organization_user" ("id", "organizationId", "userId", "name", "role", "status", "createdAt", "updatedAt", "joinedAt", "version")
      SELECT gen_random_uuid(), $1, $2, 'Leaver', 'admin', 'active', now(), now(), now(), 1`,
    [organization.id, leaver.id],
  )
  const stream = await listen(leaver, 'topic=*')
  expect(stream.status).toBe(200)
  const [membership] = await database.query(`SELECT "id" FROM "organization_user" WHERE "userId" = $1`, [leaver.id])
  await api.delete(`/organization-users/${membership.id}`).expect(204)
  expect(await stream.rest()).toEqual([])
  expect(stream.retry).toBeGreaterThan(500)
})

test('a reader whose role is lower by now hears only of the rows of that role', async () => {
  const user = await person('demoted')
  const { id } = await given(OrganizationUser, { user, name: 'Demoted', role: 'admin' })
  const own = await given(Employee, { name: 'Demoted', userId: user.id })
  const meet = (employee: string | null) =>
    api
      .post('/meetings')
      .send({ ...morning, employee })
      .expect(201)
  const stream = await listen(user, 'topic=/meetings')
  const { body: first } = await meet(null)
  expect(await stream.next()).toMatchObject({ '@id': first['@id'] })
  await api.patch(`/organization-users/${id}`).send({ role: 'member' }).expect(200)
  await meet(null)
  const { body: last } = await meet(`/employees/${own.id}`)
  expect(await stream.next()).toMatchObject({ '@id': last['@id'] })
})

describe('a reader that was interrupted', () => {
  test('goes on where it stopped, and misses nothing', async () => {
    const first = await listen(owner, 'topic=/locations')
    const one = await api.post('/locations').send({ name: 'One' }).expect(201)
    await first.next()
    first.close()
    const two = await api.post('/locations').send({ name: 'Two' }).expect(201)
    const second = await listen(owner, 'topic=/locations', { 'Last-Event-ID': first.lastEventId })
    expect(second.headers.get('last-event-id')).toBe(first.lastEventId)
    expect(await second.next()).toMatchObject({ '@id': two.body['@id'], type: 'create' })
    const query = `topic=/locations&lastEventID=${encodeURIComponent(first.lastEventId)}`
    expect(await (await listen(owner, query)).next()).toMatchObject({ '@id': two.body['@id'] })
    expect(one.body['@id']).not.toBe(two.body['@id'])
  })

  test('hears of a change whose transaction began before, and was committed after', async () => {
    const runner = database.createQueryRunner()
    await runner.connect()
    await runner.startTransaction()
    await runner.query(
      `INSERT INTO "change" ("organizationId", "relation", "id", "type") VALUES ($1, 'mail_footer', NULL, 'update')`,
      [organization.id],
    )
    const stream = await listen(owner, `topic=/organizations/mail-footer&topic=/locations`)
    const { body } = await api.post('/locations').send({ name: 'Later' }).expect(201)
    expect(await stream.next()).toMatchObject({ '@id': body['@id'] })
    stream.close()
    await runner.commitTransaction()
    await runner.release()
    const next = await listen(owner, 'topic=*', { 'Last-Event-ID': stream.lastEventId })
    expect(await next.next()).toMatchObject({ '@id': '/organizations/mail-footer', type: 'update' })
  })

  test.each([
    ['of more than an hour ago', (id: string) => id.replace(/^\d+/, (seconds) => String(Number(seconds) - 3700))],
    ['of another server', (id: string) => id.replace(/-\d+\./, '-1.')],
    ['that is none', () => 'urn:uuid:019b8a6c-4000-7000-8000-000000000002'],
  ])('loads again after an id %s', async (_, change) => {
    const first = await listen(owner, 'topic=*')
    const id = change(await lastIdOf(first))
    const stream = await listen(owner, 'topic=*', { 'Last-Event-ID': id })
    expect(stream.headers.get('last-event-id')).not.toBe(id)
    expect(await stream.nextEvent()).toMatchObject({ event: 'reload' })
  })

  test('loads again after more than 1,000 changes', async () => {
    const first = await listen(owner, 'topic=*')
    const id = await lastIdOf(first)
    first.close()
    await database.query(
      `INSERT INTO "change" ("organizationId", "relation", "id", "type") SELECT $1, 'meeting', gen_random_uuid(), 'update' FROM generate_series(1, 1001)`,
      [organization.id],
    )
    const stream = await listen(owner, 'topic=*', { 'Last-Event-ID': id })
    expect(await stream.nextEvent()).toMatchObject({ event: 'reload' })
  })
})

test('the 11th stream of a caller is refused with 429, until another one is closed', async () => {
  const streams = []
  for (let count = 0; count < 10; count++) streams.push(await listen(tenant.users.admin, 'topic=/invoices'))
  const opened = streams.filter(({ status }) => status === 200)
  const refused = await listen(admin, 'topic=/invoices')
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('30')
  for (const stream of opened) stream.close()
  await eventually(async () => expect((await listen(admin, 'topic=/invoices')).status).toBe(200))
})

test('the hub that responses name is described in Hydra and OpenAPI, with the data of its events', async () => {
  const { body: docs } = await as().get('/docs.jsonld')
  const [hub] = docs.seeAlso
  expect(hub).toMatchObject({
    '@id': '/.well-known/mercure',
    '@type': 'Resource',
    operation: [{ method: 'GET', returns: '#Change', expectsHeader: [{ headerName: 'Last-Event-ID' }] }],
  })
  const change = docs.supportedClass.find((one: { '@id': string }) => one['@id'] === '#Change')
  const described = change.supportedProperty.map(({ title }: { title: string }) => title)
  const { body: openapi } = await as().get('/docs.jsonopenapi')
  expect(openapi.paths[hub['@id']].get.operationId).toBe(hub.operation[0]['@id'].slice(1))
  const schema = openapi.components.schemas['stream.change']
  expect(Object.keys(schema.properties)).toEqual(['@id', ...described])
  const stream = await listen(owner, 'topic=/locations')
  await api.post('/locations').send({ name: 'Described' }).expect(201)
  expect(Object.keys(await stream.next())).toEqual(Object.keys(schema.properties))
})

test('every response names the hub, and the hub can only be read', async () => {
  const { headers } = await api.get('/meetings')
  expect(headers.link).toContain(`<${publicUrl}/.well-known/mercure>; rel="mercure"`)
  expect((await api.post('/.well-known/mercure').send({})).status).toBe(405)
  expect((await api.options('/.well-known/mercure')).headers.allow).toBe('OPTIONS, HEAD, GET')
  const head = await api.head('/.well-known/mercure?topic=*')
  expect([head.status, head.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
})
