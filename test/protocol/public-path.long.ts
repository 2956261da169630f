import { once } from 'node:events'
import request from 'supertest'
import { AuditEvent, Meeting, Organization } from '../../entities/index.ts'
import { createApp } from '../../src/app.ts'
import { invitationMail } from '../../src/mail/invitation-mail.ts'
import { createHttpServer } from '../../src/runtime/http/http-server.ts'
import { png } from '../images/sample-images.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, config, database, ending, given, operator, organization, services, tenant, tokenOf } = await openWorld()

/* With a path in PUBLIC_URL the server listens under it. An address that lacks it could be in: every document and its context, headers, */
/* the view of a list, references that are sent and filters, texts that name addresses, images, pages, mails, and what is stored. */

const root = '/org/api.v1'
const origin = 'https://host.example'
const publicUrl = origin + root
const server = createHttpServer(await createApp({ ...services, config: { ...config, publicUrl } }), publicUrl)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
ending.unshift(async () => void server.close())

const rows = await rowsOf(tenant)
for (let count = 0; count < 3; count++) await given(Meeting, morning)
const { body } = await api.post('/organizations/logo').attach('file', await png(), 'logo.png')
const image = body.logo as string
const tokens = { owner: await tokenOf(tenant.users.owner), operator: await tokenOf(operator) }

const ask = (path: string, headers: Record<string, string> = {}, token = tokens.owner) =>
  request(server).get(path).set('Authorization', `Bearer ${token}`).set(headers).redirects(0)
const send = (method: 'post' | 'patch', path: string, body: object, type = 'application/ld+json') =>
  request(server)[method](path).set('Authorization', `Bearer ${tokens.owner}`).type(type).send(JSON.stringify(body))

/** The addresses of this server in a text: in quotes, angle brackets or attributes. */
const addressesIn = (text: string) => text.match(/(?<=["<])\/[a-z.][^"<>\s]*(?=[">])/g) ?? []

const withoutChanges = (json: string) =>
  JSON.stringify(JSON.parse(json), (key, value) => (key === 'changes' ? undefined : value))

test('every address in every document is under the path and leads to its document', async () => {
  const open = [`${root}/`]
  const seen = new Map<string, number>()
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    if (seen.has(path)) continue
    const { status, text, headers } = await ask(path)
    seen.set(path, status)
    expect(headers.link).toContain(`<${publicUrl}/docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"`)
    // The changes of an audit event are shown as stored.
    const found = addressesIn(/json/.test(headers['content-type']) ? withoutChanges(text) : '').filter(
      (one) => !one.includes('{') && one !== '/',
    )
    expect([path, found.filter((one) => !one.startsWith(`${root}/`))]).toEqual([path, []])
    open.push(...found)
  }
  const paths = [...seen.keys()]
  expect(paths.filter((path) => ![200, 405].includes(seen.get(path) as number))).toEqual([])
  for (const start of [
    '/contexts/Meeting',
    `/meetings/${rows.Meeting.id}`,
    '/images/',
    '/countries?',
    '/organizations/mail-footer',
  ])
    expect(paths).toContainEqual(expect.stringContaining(root + start))
})

test('the page links and search of a collection are under the path, in each format', async () => {
  const { body } = await ask(`${root}/meetings?itemsPerPage=1`)
  expect(body).toMatchObject({ '@context': `${root}/contexts/Meeting`, '@id': `${root}/meetings` })
  expect(body.view.next).toMatch(/^\/org\/api\.v1\/meetings\?itemsPerPage=1&page=2&after=/)
  expect(body.search.template.startsWith(`${root}/meetings{?`)).toBe(true)
  expect((await ask(body.view.next)).body.member).toHaveLength(1)
  const { headers } = await ask(`${root}/meetings.csv?itemsPerPage=1`)
  expect(headers.link).toContain(`<${origin}${root}/meetings.csv?itemsPerPage=1&page=1>; rel="first"`)
  const nested = await ask(`${root}/subscriptions/${rows.Subscription.id}/invoices`)
  expect(nested.body.search.template.startsWith(`${root}/subscriptions/${rows.Subscription.id}/invoices{?`)).toBe(true)
  expect((await ask(`${root}/meetings.json?itemsPerPage=1`)).headers.link).toContain(`<${publicUrl}/contexts/Meeting>`)
  expect((await ask(`${root}/meetings.ttl`)).text).toContain(`${publicUrl}/meetings/${rows.Meeting.id}`)
  const page = (await ask(`${root}/meetings.html?itemsPerPage=1&view=source`)).text
  const hrefs = page.match(/(?<=href=")[^"]*/g) ?? []
  expect(hrefs.length).toBeGreaterThan(5)
  expect(hrefs.filter((href) => !href.startsWith(`${root}/`) && !/^(https?:|#main$)/.test(href))).toEqual([])
  expect(hrefs).toContain(`${root}/docs/reference#Meeting`)
})

test('references are sent, filtered and returned under the path; one without it belongs to another server', async () => {
  const employee = `${root}/employees/${rows.Employee.id}`
  const window = { dateFrom: '2027-01-01T08:00:00Z', dateTo: '2027-01-01T09:00:00Z' }
  for (const reference of [employee, origin + employee, { '@id': employee }]) {
    const created = await send('post', `${root}/meetings`, {
      '@context': `${root}/contexts/Meeting`,
      employee: reference,
      ...window,
    })
    expect([created.status, created.body.employee]).toEqual([201, employee])
    expect(created.headers.location).toBe(created.body['@id'])
    expect((await ask(created.headers.location)).status).toBe(200)
  }
  const context = { '@vocab': 'https://schema.org/', attendee: { '@type': '@id' } }
  const foreign = { '@context': context, attendee: employee, startDate: window.dateFrom, endDate: window.dateTo }
  expect((await send('post', `${root}/meetings`, foreign)).body.employee).toBe(employee)
  for (const value of [employee, origin + employee])
    expect((await ask(`${root}/meetings?employee=${value}&itemsPerPage=0`)).body.totalItems).toBe(5)

  const withoutRoot = `/employees/${rows.Employee.id}`
  for (const reference of [withoutRoot, origin + withoutRoot, `http://other.example${employee}`]) {
    const { status, body } = await send('post', `${root}/meetings`, { employee: reference, ...window })
    expect([status, body['@context'], body['@id']]).toEqual([422, `${root}/contexts/Error`, `${root}/errors/422`])
    const refused = await ask(`${root}/meetings?employee=${reference}`)
    expect([refused.status, refused.body.detail]).toEqual([
      400,
      `The parameter "employee" takes IRIs such as "${root}/employees/…".`,
    ])
  }
  expect((await send('post', `${root}/meetings`, { '@context': '/contexts/Meeting', ...window })).status).toBe(400)
})

test('stored rows do not contain the path, so the server can move', async () => {
  const { body } = await send(
    'patch',
    `${root}/locations/${rows.Location.id}`,
    { name: 'Moved' },
    'application/merge-patch+json',
  )
  await send('patch', `${root}/organizations/${organization.id}`, { name: 'Moved' }, 'application/merge-patch+json')
  expect(body['@id']).toBe(`${root}/locations/${rows.Location.id}`)
  const stored = await database.manager.find(AuditEvent, { order: { id: 'DESC' } })
  expect(stored.filter(({ target }) => target.includes(root))).toEqual([])
  const target = `${root}/organizations/${organization.id}`
  const { member } = (await ask(`${root}/audit-events?target=${target}`)).body
  expect(member.length).toBeGreaterThan(0)
  for (const event of member) expect(event.target).toBe(target)
})

test('another spelling of an id, and the path alone, redirect to addresses under the path', async () => {
  const { status, headers } = await ask(`${root}/countries/nl?x=1`)
  expect([status, headers.location]).toEqual([301, `${root}/countries/NL?x=1`])
  const start = await ask(`${root}?x=1`)
  expect([start.status, start.headers.location]).toEqual([308, `${root}/?x=1`])
})

test('only health and metrics are served outside the path', async () => {
  for (const path of [
    '/',
    '/docs.jsonld',
    '/docs',
    '/countries',
    '/meetings',
    '/contexts/Meeting',
    '/errors/404',
    image,
  ])
    expect([path, (await ask(path)).status]).toEqual([path, 404])
  for (const path of [
    '/org',
    '/org/',
    `${root}x/countries`,
    `/x${root}/countries`,
    '/ORG/API.V1/countries',
    '/org/apixv1/',
  ])
    expect([path, (await ask(path)).status]).toEqual([path, 404])
  for (const path of ['/.well-known/jwks.json', '/webhooks/stripe'])
    expect([path, (await request(server).post(path)).status]).toEqual([path, 404])
  const { body } = await ask('/nothing')
  expect(body).toMatchObject({ '@context': `${root}/contexts/Error`, '@id': `${root}/errors/404` })
  expect(body.detail).toBe(`Not found: no resource has this path. Start at "${root}/" and follow the links.`)
  for (const path of ['/health/live', '/health/ready']) {
    expect((await ask(path)).status).toBe(200)
    expect((await ask(root + path)).status).toBe(404)
  }
  expect((await ask('/metrics', {}, tokens.operator)).status).toBe(200)
  expect((await ask(`${root}${image}`)).headers['content-type']).toBe('image/png')
  expect((await ask(`${root}/.well-known/jwks.json`)).status).toBe(200)
  expect((await request(server).post(`${root}/webhooks/stripe`)).status).toBe(400)
})

test('the documentation, its page and OpenAPI contain the path', async () => {
  const docs = (await ask(`${root}/docs.jsonld`)).body
  expect(docs).toMatchObject({ '@id': `${root}/docs.jsonld`, entrypoint: `${root}/` })
  expect(docs['@context'][1]).toMatchObject({
    '@base': `${publicUrl}/docs.jsonld`,
    '@vocab': `${publicUrl}/docs.jsonld#`,
  })
  const openapi = (await ask(`${root}/docs.jsonopenapi`)).body
  expect(openapi.servers).toEqual([{ url: publicUrl }])
  expect(openapi.paths).toHaveProperty(['/meetings/{id}'])
  expect(openapi.components.schemas.Meeting.properties.employee.example).toMatch(/^\/org\/api\.v1\/employees\//)
  const page = await ask(`${root}/docs`, { Accept: 'text/html' })
  for (const [, link] of page.text.matchAll(/(?:src|href)="(docs[^"]*)"/g)) {
    const { pathname } = new URL(link, `${publicUrl}/docs`)
    expect([pathname, (await ask(pathname)).status]).toEqual([pathname, 200])
  }
})

test('a mail contains the addresses that accept its token', async () => {
  const invitation = rows.OrganizationUserInvitation as never
  const found = await database.manager.findOneByOrFail(Organization, { id: organization.id })
  const { text } = await invitationMail(database.manager, invitation, found, { token: 'x', publicUrl, hasPage: true })
  expect(text).toContain(`${publicUrl}/organization-user-invitations/accept`)
  expect(text).toContain(`${publicUrl}/invitation?token=x`)
})

test('the response to invalid HTTP has addresses under the path', async () => {
  const { text } = await new Promise<{ text: string }>((resolve, reject) =>
    ask(`${root}/`, { 'X-Long': 'x'.repeat(40_000) })
      .buffer()
      .end((error, answer) => (answer ? resolve(answer) : reject(error))),
  )
  expect(JSON.parse(text)).toMatchObject({ '@context': `${root}/contexts/Error`, '@id': `${root}/errors/431` })
})
