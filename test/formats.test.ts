import jsonld, { type JsonLdDocument } from 'jsonld'
import { Parser, Writer } from 'n3'
import { Location, Subscription } from '../entities/index.ts'
import { resource } from '../src/hydra/triples.ts'
import { api, as, database, given, publicUrl, tenant, tokenOf } from './world/index.ts'
import { rowsOf } from './world/rows.ts'
import { type Answer, expectProblem, raw } from './world/wire.ts'

const owner = `Bearer ${await tokenOf(tenant.users.owner)}`
const profile = 'http://www.w3.org/ns/json-ld#'
const rows = await rowsOf(tenant)
const freeForm = { metadata: [{ name: 'a', value: 'ü' }] }
await database.manager.update(Subscription, { id: rows.Subscription.id }, freeForm)
const meeting = `/meetings/${rows.Meeting.id}`
const { body: entrypoint } = await api.get('/')
const collections = Object.values<string>(entrypoint).filter((path) => /^\/[a-z-]+$/.test(path))
const items = (
  await Promise.all(collections.map(async (path) => (await api.get(path)).body.member[0]?.['@id'] as string))
).filter((path) => path !== undefined)

const ask = (path: string, accept?: string, headers: Record<string, string> = {}): Promise<Answer> =>
  raw('GET', path, { Authorization: owner, ...(accept !== undefined && { Accept: accept }), ...headers })

const typeOf = ({ status, headers }: Answer) => [status, headers['content-type']]

const types = {
  jsonld: 'application/ld+json; charset=utf-8',
  expanded: `application/ld+json; profile="${profile}expanded"; charset=utf-8`,
  flattened: `application/ld+json; profile="${profile}flattened"; charset=utf-8`,
  json: 'application/json; charset=utf-8',
  turtle: 'text/turtle; charset=utf-8',
  nquads: 'application/n-quads; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
}

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

test.each<[keyof typeof types, string | undefined]>([
  ['jsonld', undefined],
  ['jsonld', ''],
  ['jsonld', '*/*'],
  ['jsonld', 'application/*'],
  ['jsonld', 'application/ld+json; charset=utf-8'],
  ['jsonld', 'APPLICATION/LD+JSON'],
  ['jsonld', 'text/html, application/ld+json'],
  ['jsonld', 'text/turtle, application/n-quads, application/json, application/ld+json'],
  ['jsonld', 'text/turtle;q=0.9, application/ld+json'],
  ['jsonld', 'application/ld+json;q=0.2, text/csv;q=0.1'],
  ['jsonld', 'image/png, */*;q=0.1'],
  ['jsonld', `application/ld+json;profile="${profile}compacted"`],
  ['jsonld', 'application/ld+json;profile="urn:of-others"'],
  ['expanded', `application/ld+json;profile="${profile}expanded"`],
  ['expanded', `application/ld+json;profile=${profile}expanded`],
  ['expanded', `application/ld+json; q=0.5; profile="urn:of-others ${profile}expanded", text/html;q=0.1`],
  ['flattened', `application/ld+json;profile="${profile}flattened", */*`],
  ['jsonld', `application/ld+json;profile="${profile}flattened";q=0.1, application/ld+json`],
  ['json', 'application/json'],
  ['json', 'application/json, text/plain, */*'],
  ['json', 'application/ld+json;q=0, */*'],
  ['turtle', 'text/turtle'],
  ['turtle', 'text/turtle, */*'],
  ['turtle', 'text/*'],
  ['turtle', 'text/turtle, application/rdf+xml;q=0.9, application/ld+json;q=0.8'],
  ['nquads', 'application/n-quads'],
  ['html', 'text/html'],
  ['html', browser],
  ['html', 'text/html, application/ld+json;q=0.1'],
])('the answer is %s to who accepts %s', async (name, accept) => {
  for (const path of [meeting, '/meetings', '/meetings?page=1', '/'])
    expect(typeOf(await ask(path, accept))).toEqual([200, types[name]])
})

test('a table is there of collections alone', async () => {
  expect(typeOf(await ask('/meetings', 'text/csv'))).toEqual([200, types.csv])
  expect(typeOf(await ask('/meetings', 'text/csv, application/ld+json;q=0.9'))).toEqual([200, types.csv])
  for (const path of [meeting, '/', `${meeting}.csv`, '/index.csv'])
    expect(expectProblem(await ask(path, 'text/csv'), 406).detail).not.toContain('csv')
})

test.each([
  'image/png',
  'text/plain',
  'application/ld+json;q=0',
  'text/turtle;q=0',
  ';;;',
  '*/*;q=0',
  'text/turtle;q=x',
])('who accepts only %s is told what there is', async (accept) => {
  const { detail } = expectProblem(await ask('/meetings', accept), 406)
  for (const type of ['ld+json', 'application/json', 'text/turtle', 'application/n-quads', 'text/csv', 'text/html'])
    expect(detail).toContain(type)
})

test.each<[path: string, type: keyof typeof types, id: string]>([
  ['/index.jsonld', 'jsonld', '/'],
  ['/meetings.jsonld', 'jsonld', '/meetings'],
  ['/meetings.jsonld?page=1', 'jsonld', '/meetings'],
  [`${meeting}.jsonld`, 'jsonld', meeting],
  ['/organizations/mail-footer.jsonld', 'jsonld', '/organizations/mail-footer'],
  [`/subscriptions/${rows.Subscription.id}/invoices.jsonld`, 'jsonld', ''],
  ['/errors/404.jsonld', 'jsonld', '/errors/404'],
  ['/docs.jsonld', 'jsonld', '/docs.jsonld'],
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
])('%s is %s whatever is accepted', async (path, type, id) => {
  for (const accept of [undefined, 'image/png', browser]) {
    const answer = await ask(path, accept)
    expect(typeOf(answer)).toEqual([200, types[type]])
    if (id) expect(JSON.parse(answer.text)['@id']).toBe(id)
  }
})

test('a suffix is one of a path that is there, and takes the same as the path', async () => {
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
  const made = await api.post('/locations.ttl', { name: 'Breda' })
  expect([made.status, made.headers['content-type']]).toEqual([201, types.turtle])
  expect(made.headers.location).toMatch(/^\/locations\/[\w-]+$/)
})

test('plain JSON says which context makes it JSON-LD', async () => {
  for (const [path, name] of [
    ['/', 'Entrypoint'],
    ['/meetings', 'Meeting'],
    [meeting, 'Meeting'],
  ]) {
    const [linked, plain] = [await ask(path), await ask(path, 'application/json')]
    expect(plain.text).toBe(linked.text)
    expect(plain.headers.link).toBe(
      `${linked.headers.link}, <${publicUrl}/contexts/${name}>; rel="${profile}context"; type="application/ld+json"`,
    )
  }
})

test('a context is JSON, whatever else is asked for', async () => {
  expect(typeOf(await ask('/contexts/Meeting', 'text/turtle'))).toEqual([200, types.jsonld])
  expect(typeOf(await ask('/contexts/Meeting', browser))).toEqual([200, types.jsonld])
  expect(typeOf(await ask('/contexts/Meeting', 'application/json'))).toEqual([200, types.json])
})

test('the documentation is a graph too, and has one address for all of them', async () => {
  const docs = await ask('/docs.jsonld')
  expect(typeOf(await ask('/docs', 'image/png'))[0]).toBe(406)
  for (const accept of ['image/png', browser, '*/*']) expect((await ask('/docs.jsonld', accept)).text).toBe(docs.text)
  for (const [accept, type] of [
    ['text/turtle', types.turtle],
    ['application/n-quads', types.nquads],
  ]) {
    const answer = await ask('/docs.jsonld', accept)
    expect(typeOf(answer)).toEqual([200, type])
    expect(await triplesOf(answer)).toHaveLength(((await jsonld.toRDF(JSON.parse(docs.text), reading)) as []).length)
  }
})

describe('The same is said in every format:', () => {
  test.each(['/', '/errors/404', '/organizations/mail-footer', ...collections, ...items])('%s', async (path) => {
    const document: JsonLdDocument = JSON.parse((await ask(path)).text)
    const meant = await jsonld.canonize(document, { ...reading, algorithm: 'URDNA2015' })
    expect(meant).not.toBe('')
    for (const form of ['expanded', 'flattened'])
      expect(await meaning(JSON.parse((await ask(path, `application/ld+json;profile=${profile}${form}`)).text))).toBe(
        meant,
      )
    for (const accept of ['text/turtle', 'application/n-quads']) {
      const quads = new Writer({ format: 'N-Quads' }).quadsToString(await triplesOf(await ask(path, accept)))
      expect(
        await jsonld.canonize(quads as never, { inputFormat: 'application/n-quads', algorithm: 'URDNA2015' }),
      ).toBe(meant)
      expect(await meaning((await jsonld.fromRDF(quads as never)) as JsonLdDocument)).toBe(meant)
    }
  })

  test('every class that has items is among them', () => {
    expect(items.length).toBe(collections.length)
  })
})

test.each(['/', ...collections, ...items])('all that %s says has a meaning', async (path) => {
  const document = JSON.parse((await ask(path)).text)
  const context = await documentLoader(publicUrl + document['@context'])
  const again = await compact(document, context.document, { ...reading, safe: true })
  expect(again).toMatchObject({ '@type': document['@type'] })
})

describe('A table', () => {
  test('has a row for each member and a column for each property, with nothing for null', async () => {
    const { text, headers } = await ask('/meetings.csv')
    const { member } = JSON.parse((await ask('/meetings')).text)
    const [header, row, ...others] = text.split('\r\n')
    expect(header.split(',')).toEqual(Object.keys(member[0]))
    expect(row.split(',')).toEqual(Object.values(member[0]).map((value) => value ?? ''))
    expect(others).toEqual([''])
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
  })

  test('has its header even when it has no rows', async () => {
    const { text } = await ask('/locations.csv?page=999')
    expect(text.split('\r\n')).toEqual([expect.stringMatching(/^@id,@type,.*name/), ''])
  })

  test('says no formula, and quotes what must be', async () => {
    const names = ['=1+1', '+1', '-1', '@sum', '\t=1', 'a "b", c', 'two\nlines', 'ﬁnà'].sort()
    for (const name of names) await given(Location, { name })
    const { text } = await ask('/locations.csv?order[id]=asc')
    for (const name of ['=1+1', '+1', '-1', '@sum', '\t=1']) expect(text).toContain(`'${name}`)
    expect(text).toContain('"a ""b"", c"')
    expect(text).toContain('"two\nlines"')
    expect(text).toContain('ﬁnà')
  })

  test('keeps lists and what is free-form in one cell', async () => {
    const { member } = JSON.parse((await ask('/organizations')).text)
    const { text } = await ask('/organizations.csv')
    expect(text).toContain(member[0].organizationUsers.join(' '))
    expect((await ask('/subscriptions.csv')).text).toContain(',"[{""name"":""a"",""value"":""ü""}]",')
  })

  test('leads to its other pages', async () => {
    const { headers } = await ask('/locations.csv?itemsPerPage=1')
    const { view } = JSON.parse((await ask('/locations?itemsPerPage=1')).text)
    for (const relation of ['first', 'last', 'next'])
      expect(headers.link).toContain(`<${publicUrl}${view[relation]}>; rel="${relation}"`)
  })
})

describe('A page', () => {
  const hostile = `<script>alert("1")</script><a href='javascript:x'>&amp;`

  test('has no tags but its own', async () => {
    const { id } = await given(Location, { name: hostile })
    for (const path of [`/locations/${id}`, '/locations?itemsPerPage=100']) {
      const { text } = await ask(path, 'text/html')
      expect(text).not.toMatch(/<script|<a href='/)
      expect(text).toContain('&#60;script&#62;alert(&#34;1&#34;)')
      expect(text.match(/href="[^"]*"/g)?.filter((href) => !/^href="(\/|https?:)/.test(href))).toEqual([])
    }
  })

  test('may load nothing but its own style, and run nothing', async () => {
    const { text, headers } = await ask('/', 'text/html')
    const policy = headers['content-security-policy'] as string
    const [, style] = /<style>(.*)<\/style>/.exec(text) ?? []
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(style))).toString('base64')
    expect(policy).toContain(`style-src 'sha256-${digest}'`)
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/script|unsafe/)
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  test.each(['/', ...collections, ...items])('of %s has every IRI as a link', async (path) => {
    const { text } = await ask(path, 'text/html')
    const nodes = nodesOf(await jsonld.expand(JSON.parse((await ask(path)).text), reading))
    const iris = nodes.map((node) => node['@id']).filter((iri) => typeof iri === 'string' && iri.startsWith(publicUrl))
    const hrefs = new Set(text.match(/(?<=href=")[^"]*/g)?.map((href) => new URL(unescaped(href), publicUrl).href))
    expect(iris.filter((iri) => !hrefs.has(iri as string))).toEqual([])
  })
})

describe('Each representation', () => {
  const accepts = Object.values(types)

  test('has a validator of its own, that spares it', async () => {
    for (const [path, count] of [
      [meeting, 7],
      ['/meetings', 8],
      ['/', 7],
    ] as const) {
      const etags = new Set<unknown>()
      for (const accept of accepts.filter((type) => count === 8 || type !== types.csv)) {
        const { headers } = await ask(path, accept)
        expect(headers.etag).toMatch(/^"[\w-]+"$/)
        expect((headers.vary as string).split(', ')).toContain('Accept')
        etags.add(headers.etag)
        const again = await ask(path, accept, { 'If-None-Match': headers.etag as string })
        expect([again.status, again.text, again.headers.etag]).toEqual([304, '', headers.etag])
      }
      expect(etags.size).toBe(count)
    }
  })

  test('names the version that may be changed', async () => {
    const patch = { Authorization: owner, 'Content-Type': 'application/merge-patch+json' }
    for (const accept of accepts.filter((type) => type !== types.csv)) {
      const { headers } = await ask(meeting, accept)
      const change = () =>
        raw(
          'PATCH',
          meeting,
          { ...patch, Accept: accept, 'If-Match': headers.etag as string },
          `{"notes":"${Math.random()}"}`,
        )
      const changed = await change()
      expect(typeOf(changed)).toEqual([200, accept])
      expect(changed.headers.etag).toBe((await ask(meeting, accept)).headers.etag)
      expectProblem(await change(), 412)
    }
  })

  test('has an error in JSON all the same', async () => {
    for (const accept of ['text/turtle', 'text/html', 'text/csv'])
      expectProblem(await ask('/meetings?page=0', accept), 400)
    expectProblem(await raw('GET', '/meetings.html'), 401)
  })
})

test('nothing is written when the answer could not be read', async () => {
  const before = await database.manager.count(Location)
  const headers = { Authorization: owner, 'Content-Type': 'application/ld+json', Accept: 'text/csv' }
  expectProblem(await raw('POST', '/locations', headers, '{"name":"x"}'), 406)
  expect(await database.manager.count(Location)).toBe(before)
})

test('an IRI cannot end the IRI that it is written into', () => {
  const { value } = resource({ termType: 'NamedNode', value: 'http://x.example/é?a=b#> <urn:y> .\n' })
  expect(value).toBe('http://x.example/é?a=b#%3E%20%3Curn:y%3E%20.%0A')
})

const compact = jsonld.compact as (document: object, context: object, options: object) => Promise<object>

const reading = { base: publicUrl, documentLoader }

async function documentLoader(url: string) {
  const { body } = await as().get(url.slice(publicUrl.length))
  return { documentUrl: url, document: body }
}

function meaning(document: JsonLdDocument): Promise<string> {
  return jsonld.canonize(document, { ...reading, algorithm: 'URDNA2015' })
}

async function triplesOf({ text, headers }: Answer) {
  return new Parser({ format: (headers['content-type'] as string).split(';')[0] }).parse(text)
}

function nodesOf(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf)
  if (typeof value !== 'object' || value === null || '@value' in value) return []
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(nodesOf)]
}

function unescaped(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
}
