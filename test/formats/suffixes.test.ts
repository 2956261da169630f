import { Meeting } from '../../entities/index.ts'
import { expectProblem, raw } from '../support/requests/raw-responses.ts'
import { morning, openWorld } from '../support/world.ts'
import { ask, browser, meeting, owner, profile, rows, typeOf, types } from './representations.ts'

const { api, given, publicUrl } = await openWorld()

test.each<[path: string, type: keyof typeof types, id: string]>([
  ['/index.jsonld', 'jsonld', '/'],
  ['/meetings.jsonld', 'jsonld', '/meetings'],
  ['/meetings.jsonld?page=1', 'jsonld', '/meetings'],
  [`${meeting}.jsonld`, 'jsonld', meeting],
  ['/organizations/mail-footer.jsonld', 'jsonld', '/organizations/mail-footer'],
  [`/subscriptions/${rows.Subscription.id}/invoices.jsonld`, 'jsonld', ''],
  ['/errors/404.jsonld', 'jsonld', '/errors/404'],
  ['/index.json', 'json', '/'],
  [`${meeting}.json`, 'json', meeting],
  ['/docs.json', 'json', '/docs.jsonld'],
  ['/contexts/Meeting.json', 'jsonld', ''],
  ['/index.ttl', 'turtle', ''],
  [`${meeting}.ttl`, 'turtle', ''],
  ['/meetings.nq', 'nquads', ''],
  ['/docs.ttl', 'turtle', ''],
  ['/meetings.csv', 'csv', ''],
  ['/index.html', 'html', ''],
  ['/meetings.html', 'html', ''],
])('%s is %s whatever Accept says', async (path, type, id) => {
  for (const accept of [undefined, 'image/png', browser]) {
    const answer = await ask(path, accept)
    expect(typeOf(answer)).toEqual([200, types[type]])
    if (id) expect(JSON.parse(answer.text)['@id']).toBe(id)
  }
})

test('/docs.jsonld is jsonld for programs, and leads a browser to the reference', async () => {
  for (const accept of [undefined, 'image/png', 'application/ld+json, text/html;q=0.5'])
    expect(typeOf(await ask('/docs.jsonld', accept))).toEqual([200, types.jsonld])
  const { status, headers } = await ask('/docs.jsonld', browser)
  expect([status, headers.location]).toEqual([303, '/docs/reference'])
})

test('a suffix works on existing paths only, with the methods and media types of the path', async () => {
  for (const path of [
    '/meetings.xml',
    `${meeting}.foo`,
    '/nothing.jsonld',
    '/index.foo',
    '/.jsonld',
    '/meetings/x.ttl',
  ])
    expectProblem(await ask(path), 404)
  const expanded = await ask(`${meeting}.jsonld`, `application/ld+json;profile="${profile}expanded"`)
  expect(typeOf(expanded)).toEqual([200, types.expanded])
  expectProblem(await raw('DELETE', '/meetings.ttl', { Authorization: owner }), 405)
  expect((await raw('OPTIONS', '/index.ttl')).headers.allow).toBe('OPTIONS, HEAD, GET')
  expect((await raw('HEAD', '/meetings.ttl', { Authorization: owner })).text).toBe('')
  const created = await api.post('/locations.ttl', { name: 'Breda' })
  expect([created.status, created.headers['content-type']]).toEqual([201, types.turtle])
  expect(created.headers.location).toMatch(/^\/locations\/[\w-]+$/)
})

describe('A collection with a suffix keeps it in every link to another page:', () => {
  beforeAll(async () => {
    for (let count = 0; count < 3; count++) await given(Meeting, morning)
  })

  test.each<[suffix: string, type: keyof typeof types, next: RegExp]>([
    ['csv', 'csv', /<([^>]*)>; rel="next"/],
    ['html', 'html', /<a href="([^"]*)" rel="next"/],
    ['jsonld', 'jsonld', /"next":"([^"]*)"/],
    ['json', 'json', /"next":"([^"]*)"/],
    ['ttl', 'turtle', /hydra:next <([^>]*)>/],
    ['nq', 'nquads', /hydra\/core#next> <([^>]*)>/],
  ])('.%s', async (suffix, type, next) => {
    let path = `/meetings.${suffix}?itemsPerPage=2`
    for (const page of [1, 2]) {
      const answer = await ask(path)
      expect(typeOf(answer)).toEqual([200, types[type]])
      const [, link] = next.exec(suffix === 'csv' ? String(answer.headers.link) : answer.text) ?? []
      if (page === 1) {
        path = new URL(link.replaceAll('&amp;', '&'), publicUrl).href.slice(publicUrl.length)
        expect(path).toMatch(new RegExp(`^/meetings\\.${suffix}\\?itemsPerPage=2&page=2&after=`))
      }
    }
  })

  test('the IRIs of the collection and its search have no suffix', async () => {
    const body = JSON.parse((await ask('/meetings.jsonld?itemsPerPage=2')).text)
    expect([body['@id'], body.view['@id']]).toEqual(['/meetings', '/meetings.jsonld?itemsPerPage=2&page=1'])
    expect(body.search.template).toMatch(/^\/meetings\{/)
  })
})
