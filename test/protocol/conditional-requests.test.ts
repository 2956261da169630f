import { Location, Meeting } from '../../entities/index.ts'
import { expectProblem, raw } from '../support/requests/raw-responses.ts'
import { snapshot } from '../support/rows/database-snapshot.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, database, given, givenAddress, organization, tenant, tokenOf } = await openWorld()

const owner = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
const some = await given(Meeting, morning)

describe('If-None-Match with the current ETag returns 304:', () => {
  test.each([
    '/',
    '/docs.jsonld',
    '/contexts/Meeting',
    '/errors/404',
    '/countries/NL',
    '/meetings',
    `/meetings/${some.id}`,
  ])('%s', async (path) => {
    const { headers, text } = await raw('GET', path, owner)
    const etag = headers.etag as string
    expect(etag).toMatch(/^"(\d+-)?[\w-]{27}"$/)

    for (const given of [etag, `W/${etag}`, '*', `"x", ${etag}`, `"x",W/${etag},"y"`, ` "a,b" , ${etag} `]) {
      const answer = await raw('GET', path, { ...owner, 'If-None-Match': given })
      expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, '', etag])
      expect(answer.headers).not.toHaveProperty('content-type')
      expect(answer.headers.vary).toBe(headers.vary)
      expect(answer.headers['cache-control']).toBe(headers['cache-control'])
      expect((await raw('HEAD', path, { ...owner, 'If-None-Match': given })).status).toBe(304)
    }
    for (const given of ['"x"', etag.slice(1, -1), 'W/"x"', '', '"', `"x${etag.slice(1)}`]) {
      const answer = await raw('GET', path, { ...owner, 'If-None-Match': given })
      expect([answer.status, answer.text]).toEqual([200, text])
    }
  })
})

test('an ETag changes with its representation', async () => {
  const location = await given(Location, { name: 'Amsterdam' })
  const etags = async () => [
    (await api.get(`/locations/${location.id}`)).headers.etag,
    (await api.get('/locations')).headers.etag,
  ]
  const before = await etags()
  expect(await etags()).toEqual(before)

  const patched = await api.patch(`/locations/${location.id}`, { name: 'Rotterdam' })
  const after = await etags()

  expect(after[0]).toBe(patched.headers.etag)
  expect(after[0]).not.toBe(before[0])
  expect(after[1]).not.toBe(before[1])
})

test('a PATCH with the current If-Match succeeds; with a stale one it gets 412', async () => {
  const meeting = await given(Meeting, morning)
  const path = `/meetings/${meeting.id}`
  const { headers } = await api.get(path)

  const first = await api.patch(path, { notes: 'first' }).set('If-Match', headers.etag)
  expect(first.status).toBe(200)
  const before = await snapshot()
  for (const stale of [headers.etag, `"x", ${headers.etag}`, `W/${first.headers.etag}`, '"x"', '', 'x*', '*x', '"*"'])
    expectProblem((await api.patch(path, { notes: 'second' }).set('If-Match', stale)) as never, 412)
  expect(await snapshot()).toEqual(before)

  const listed = await api.patch(path, { notes: 'third' }).set('If-Match', `"x", ${first.headers.etag}`)
  expect([listed.status, listed.body.notes]).toEqual([200, 'third'])
  expect((await api.patch(path, { notes: 'fourth' }).set('If-Match', '*')).status).toBe(200)
  expect((await api.patch(path, {}).set('If-Match', headers.etag)).status).toBe(412)
})

describe('A GET or HEAD whose If-Match names another state gets 412:', () => {
  test.each([
    '/',
    '/docs',
    '/docs.jsonld',
    '/contexts/Meeting',
    '/errors/404',
    '/countries/NL',
    '/meetings',
    '/meetings.csv',
    `/meetings/${some.id}`,
    `/meetings/${some.id}.json`,
    '/organizations/mail-footer',
    '/users/me',
  ])('%s', async (path) => {
    const accept = path === '/docs' ? { ...owner, Accept: 'text/html' } : owner
    const { headers, text } = await raw('GET', path, accept)
    const etag = headers.etag as string
    for (const given of [etag, '*', `"x", ${etag}`])
      expect((await raw('GET', path, { ...accept, 'If-Match': given })).text).toBe(text)
    for (const given of ['"x"', `W/${etag}`, '', '"9-x"']) {
      const refused = await raw('GET', path, { ...accept, 'If-Match': given })
      if (path !== '/docs') expectProblem(refused, 412)
      else expect([refused.status, refused.headers['content-type']]).toEqual([412, 'text/html; charset=utf-8'])
      expect((await raw('HEAD', path, { ...accept, 'If-Match': given })).status).toBe(412)
    }
    // If-Match is evaluated first (RFC 9110 §13.2.2).
    expect((await raw('GET', path, { ...accept, 'If-Match': '"x"', 'If-None-Match': etag })).status).toBe(412)
    expect((await raw('GET', path, { ...accept, 'If-Match': etag, 'If-None-Match': etag })).status).toBe(304)
  })

  test('a missing item gets 404', async () => {
    expect((await raw('GET', '/meetings/x', { ...owner, 'If-Match': '"x"' })).status).toBe(404)
  })
})

test('a PATCH or DELETE whose If-None-Match names the current state gets 412', async () => {
  const meeting = `/meetings/${(await given(Meeting, morning)).id}`
  const address = `/organization-addresses/${(await givenAddress()).id}`
  const footer = '/organizations/mail-footer'
  const etags = new Map<string, string>()
  for (const path of [meeting, address, footer]) etags.set(path, (await api.get(path)).headers.etag)
  const before = await snapshot()
  for (const [path, etag] of etags)
    for (const named of ['*', etag, `W/${etag}`, `"x", ${etag}`]) {
      expectProblem((await api.patch(path, {}).set('If-None-Match', named)) as never, 412)
      if (path === address) expectProblem((await api.delete(path).set('If-None-Match', named)) as never, 412)
    }
  const member = `/organization-users/${(await api.get('/organization-users')).body.member[0].id}`
  for (const path of ['/organizations/icon', member])
    expectProblem((await api.delete(path).set('If-None-Match', '*')) as never, 412)
  expect(await snapshot()).toEqual(before)

  const both = { 'If-Match': etags.get(meeting) as string, 'If-None-Match': '"x", "9-x"' }
  expect((await api.patch(meeting, { notes: 'x' }).set(both)).status).toBe(200)
  expect((await api.patch(meeting, { notes: 'y' }).set('If-None-Match', etags.get(meeting) as string)).status).toBe(200)
  expect((await api.delete(address).set('If-None-Match', '"9-x"')).status).toBe(204)
})

test('a PATCH of a missing item gets 404, whatever If-Match says', async () => {
  const path = '/meetings/01900000-0000-7000-8000-000000000000'
  expect((await api.patch(path, {}).set('If-Match', '*')).status).toBe(404)
})

test('a change of an item’s list does not make the ETag of the item stale', async () => {
  const path = `/organizations/${organization.id}`
  const { headers } = await api.get(path)
  await givenAddress()
  expect((await api.get(path)).headers.etag).not.toBe(headers.etag)

  expect((await api.patch(path, { name: 'Acme & Co' }).set('If-Match', headers.etag)).status).toBe(200)
})

test('a DELETE obeys If-Match too', async () => {
  const path = `/organization-addresses/${(await givenAddress()).id}`
  const { etag } = (await api.get(path)).headers
  await api.patch(path, { city: 'Haarlem' })

  expect((await api.delete(path).set('If-Match', etag)).status).toBe(412)
  expect((await api.get(path)).status).toBe(200)
  expect((await api.delete(path).set('If-Match', '*')).status).toBe(204)
})

test('of fifty concurrent changes of one version exactly one succeeds', async () => {
  const meeting = await given(Meeting, morning)
  const path = `/meetings/${meeting.id}`
  const { etag } = (await api.get(path)).headers

  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => api.patch(path, { notes: `note ${n}` }).set('If-Match', etag)),
  )

  const statuses = answers.map(({ status }) => status).sort()
  expect(statuses).toEqual([200, ...Array.from({ length: 99 }, () => 412)])
  const winner = answers.find(({ status }) => status === 200)
  const { notes, version } = await database.manager.findOneByOrFail(Meeting, { id: meeting.id })
  expect([notes, version]).toEqual([winner?.body.notes, 2])
})

test('ten concurrent changes of different properties without If-Match all succeed', async () => {
  const location = await given(Location, { name: 'Leiden' })
  const path = `/locations/${location.id}`
  const admin = as(tenant.users.admin)
  const patches = [{ name: 'Leiden Centraal' }, { officeOpenHour: 8, officeCloseHour: 18 }]

  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => admin.patch(path, patches[n % 2])))

  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
  expect((await api.get(path)).body).toMatchObject({ ...patches[0], ...patches[1] })
})
