import { Country } from '../../entities/index.ts'
import { openapi } from '../support/docs.ts'
import { expectProblem, raw } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database } = await openWorld()

const nobody = as()
const named = async (path: string, language?: string) => {
  const request = nobody.get(path)
  return (language === undefined ? await request : await request.set('Accept-Language', language)).body.name
}

test('there are the 249 of ISO 3166-1 and Kosovo, for everybody to read, a hundred a page at most', async () => {
  const members: { '@id': string; '@type': string; id: string; name: string; userAssigned: boolean }[] = []
  for (let path = '/countries?itemsPerPage=100'; path; ) {
    const { body, status } = await nobody.get(path)
    expect([status, body.totalItems]).toEqual([200, 250])
    members.push(...body.member)
    path = body.view.next
  }
  expect(new Set(members.map(({ id }) => id)).size).toBe(250)
  for (const { id, name, userAssigned, ...node } of members) {
    expect([id, userAssigned]).toEqual([id, id === 'XK'])
    expect(node).toEqual({ '@id': `/countries/${id}`, '@type': 'Country' })
    expect(id).toMatch(/^[A-Z]{2}$/)
    expect(name).not.toBe(id)
  }
  expect(members.map(({ id }) => id)).toEqual(members.map(({ id }) => id).sort())
})

test('those that are served are those that an address can be in', async () => {
  const rows = await database.manager.find(Country)
  expect(rows).toHaveLength(250)
  for (const { id } of rows) expect((await nobody.get(`/countries/${id}`)).body.id).toBe(id)
})

test.each([
  ['nl', 'Nederland'],
  ['nl-BE', 'Nederland'],
  ['NL', 'Nederland'],
  ['en', 'Netherlands'],
  ['de-DE, nl;q=0.5', 'Niederlande'],
  ['tlh, nl;q=0.5, en;q=0.4', 'Nederland'],
  ['nl;q=0, en;q=0.1', 'Netherlands'],
  ['tlh', 'Netherlands'],
  ['*', 'Netherlands'],
  ['', 'Netherlands'],
  [';;;,,;q=x', 'Netherlands'],
  [undefined, 'Netherlands'],
])('the Accept-Language %s gets the name %s', async (language, name) => {
  expect(await named('/countries/NL', language)).toBe(name)
  const request = nobody.get('/countries?itemsPerPage=100&page=2')
  const { body } = language === undefined ? await request : await request.set('Accept-Language', language)
  expect(body.member.find(({ id }: { id: string }) => id === 'NL').name).toBe(name)
})

test('its name is the short one', async () => {
  expect(await named('/countries/DE', 'nl')).toBe('Duitsland')
  expect(await named('/countries/GB', 'nl')).toBe('Verenigd Koninkrijk')
  expect(await named('/countries/BE', 'en')).toBe('Belgium')
})

test('caches keep it a while, for each language apart', async () => {
  const answers = await Promise.all(
    ['nl', 'en'].map((language) => nobody.get('/countries/NL').set('Accept-Language', language)),
  )
  for (const { headers } of answers) {
    expect(headers['cache-control']).toBe('public, max-age=3600')
    expect(headers.vary.split(', ').sort()).toEqual([
      'Accept',
      'Accept-Encoding',
      'Accept-Language',
      'Authorization',
      'Cookie',
      'Origin',
    ])
  }
  expect(answers[0].headers.etag).not.toBe(answers[1].headers.etag)
})

test('lower case leads to the canonical address', async () => {
  for (const id of ['nl', 'Nl', 'nL']) {
    const { status, headers } = await nobody.get(`/countries/${id}`).redirects(0)
    expect([status, headers.location]).toEqual([301, '/countries/NL'])
  }
  expect((await nobody.get('/countries/nl').redirects(1)).body['@id']).toBe('/countries/NL')
})

test.each(['XX', 'xx', 'ZZ', 'EU', 'UK', 'NLD', 'N', '528', '__proto__', 'constructor', '%00', 'nl%20'])(
  '%s is no country',
  async (id) => {
    expectProblem(await raw('GET', `/countries/${id}`), 404)
  },
)

test('countries are read-only, and a bad token is refused even here', async () => {
  for (const method of ['post', 'patch', 'delete'] as const) {
    const path = method === 'post' ? '/countries' : '/countries/NL'
    expect((await api[method](path)).status).toBe(405)
  }
  expect((await nobody.get('/countries').set('Authorization', 'Bearer x')).status).toBe(401)
})

// ISO 3166-1 §8.1.3: XK is of the codes that are left to users; the EU, Stripe and the UPU's members write it for Kosovo.
test('Kosovo is a country of an address, named in each language, and marked as not of the standard', async () => {
  expect(await named('/countries/XK', 'nl')).toBe('Kosovo')
  const { body } = await nobody.get('/countries/XK')
  expect(body).toMatchObject({ '@id': '/countries/XK', id: 'XK', name: 'Kosovo', userAssigned: true })
  const sent = { kind: 'visiting', name: 'Acme', street: 'Rruga B', city: 'Prishtinë' }
  for (const country of ['/countries/XK', '/countries/xk']) {
    const made = await api.post('/organization-addresses', { ...sent, country })
    expect([made.status, made.body.country]).toEqual([201, '/countries/XK'])
  }
  expect((await api.get('/organization-addresses?country=/countries/XK')).body.totalItems).toBe(2)
})

describe('The countries', () => {
  const list = async (query: string, language = 'nl') =>
    (await nobody.get(`/countries?${query}`).set('Accept-Language', language)).body
  const namesIn = async (query: string, language?: string): Promise<string[]> =>
    (await list(query, language)).member.map(({ name }: { name: string }) => name)

  test('fit on one page, of 300 at most', async () => {
    const { member, totalItems, view } = await list('itemsPerPage=300')
    expect([member.length, totalItems, view.next]).toEqual([250, 250, undefined])
    expect((await list('itemsPerPage=5000')).member).toHaveLength(250)
    expect((await list('itemsPerPage=249')).member).toHaveLength(249)
    expect((await list('')).member).toHaveLength(30)
    const { parameters } = openapi.paths['/countries'].get
    expect(parameters).toContainEqual(
      expect.objectContaining({ name: 'itemsPerPage', schema: expect.objectContaining({ maximum: 300 }) }),
    )
  })

  test.each([
    ['nl', ['Afghanistan', 'Åland', 'Albanië', 'Algerije']],
    ['de', ['Afghanistan', 'Ägypten', 'Ålandinseln', 'Albanien']],
    ['cs', ['Afghánistán', 'Ålandy', 'Albánie', 'Alžírsko']],
  ])('are sorted by their names in %s, as its readers expect, when asked', async (language, first) => {
    const ascending = await namesIn('order[name]=asc&itemsPerPage=300', language)
    expect(ascending.slice(0, 4)).toEqual(first)
    expect(ascending).toEqual(ascending.toSorted(new Intl.Collator(language).compare))
    expect(await namesIn('order[name]=desc&itemsPerPage=300', language)).toEqual(ascending.toReversed())
    const { member, view } = await list('order[name]=asc&itemsPerPage=3', language)
    const next = (await nobody.get(view.next).set('Accept-Language', language)).body
    expect([...member, ...next.member].map(({ name }) => name)).toEqual(ascending.slice(0, 6))
    expect((await list('order[id]=desc&itemsPerPage=1', language)).member[0].id).toBe('ZW')
  })

  test.each([
    ['name=neder', ['Caribisch Nederland', 'Nederland']],
    ['name=BELG', ['België']],
    ['name=belgie', ['België']],
    ['name[]=belgi&name[]=luxem', ['België', 'Luxemburg']],
    ['q=belgie', ['België']],
    ['q=republiek centraal', ['Centraal-Afrikaanse Republiek']],
    ['q=arabische emiraten', ['Verenigde Arabische Emiraten']],
    ['q=hu', ['Hongarije']],
    ['name=land&q=nederland caribisch', ['Caribisch Nederland']],
    ['id=/countries/NL&id[]=BE&name=land', ['Nederland']],
    ['q=netherlands', []],
    ['name=%25', []],
  ])('are searched by %s in the language that they are named in', async (query, found) => {
    const names = await namesIn(`${query}&itemsPerPage=300`)
    expect(names).toEqual(found)
    expect((await list(query)).totalItems).toBe(names.length)
  })

  test('are all there when nothing is looked for', async () => {
    for (const query of ['q=', 'q=%20', 'name=', 'order[name]=up']) expect((await list(query)).totalItems).toBe(250)
  })

  test('are asked by few texts, and by nothing that they have not', async () => {
    for (const name of ['q', 'name']) {
      const { status, detail } = await list(Array(6).fill(`${name}=a`).join('&'))
      expect([status, detail]).toEqual([400, expect.stringContaining(`"${name}"`)])
    }
    const { status } = await nobody.get('/countries?userAssigned=true').set('Prefer', 'handling=strict')
    expect(status).toBe(400)
  })
})
