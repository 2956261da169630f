import { Location } from '../../entities/index.ts'
import { expectProblem, raw } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'
import { ask, browser, meeting, owner, profile, typeOf, types } from './representations.ts'

const { database, publicUrl } = await openWorld()

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
])('the response is %s for Accept: %s', async (name, accept) => {
  for (const path of [meeting, '/meetings', '/meetings?page=1', '/'])
    expect(typeOf(await ask(path, accept))).toEqual([200, types[name]])
})

test('only collections have a CSV representation', async () => {
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
])('Accept: %s gets 406 with the available types', async (accept) => {
  const { detail } = expectProblem(await ask('/meetings', accept), 406)
  for (const type of ['ld+json', 'application/json', 'text/turtle', 'application/n-quads', 'text/csv', 'text/html'])
    expect(detail).toContain(type)
})

test('plain JSON has a Link to its JSON-LD context', async () => {
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

test('a context is JSON whatever Accept says', async () => {
  expect(typeOf(await ask('/contexts/Meeting', 'text/turtle'))).toEqual([200, types.jsonld])
  expect(typeOf(await ask('/contexts/Meeting', browser))).toEqual([200, types.jsonld])
  expect(typeOf(await ask('/contexts/Meeting', 'application/json'))).toEqual([200, types.json])
})

test('a POST with an unacceptable Accept writes nothing', async () => {
  const before = await database.manager.count(Location)
  const headers = { Authorization: owner, 'Content-Type': 'application/ld+json', Accept: 'text/csv' }
  expectProblem(await raw('POST', '/locations', headers, '{"name":"x"}'), 406)
  expect(await database.manager.count(Location)).toBe(before)
})
