import { load } from 'cheerio'
import { openWorld } from '../support/world.ts'
import { ask, browser, collections, items } from './representations.ts'

const { as } = await openWorld()

// The same mistake could be in any page with terms: items, collections, the entrypoint, errors.
const reference = load((await ask('/docs/reference', browser)).text)
const anchors = new Set(
  reference('[id]')
    .map((_, { attribs }) => attribs.id)
    .get(),
)

test('the reference has an anchor for every term of the vocabulary, the entrypoint and errors included', async () => {
  const { body: docs } = await as().get('/docs.jsonld').expect(200)
  const iris = new Set<string>()
  const collect = (value: unknown, key = ''): void => {
    // Shapes are for programs: they repeat the rules of properties.
    if (key === 'defines' || key === '@context') return
    if (typeof value === 'string' && value.startsWith('#')) iris.add(value.slice(1))
    if (typeof value === 'object' && value !== null)
      for (const [inner, held] of Object.entries(value)) collect(held, inner)
  }
  collect(docs)
  for (const id of [
    'Meeting',
    'Meeting/time',
    'Organization/clear',
    'Entrypoint/meeting',
    'Error/status',
    'violations',
  ])
    expect(iris).toContain(id)
  expect([...iris].filter((id) => !anchors.has(id))).toEqual([])
})

test.each(['/docs.html', '/docs.jsonld'])('%s leads a browser to the reference, in its language', async (path) => {
  for (const query of ['', '?lang=nl']) {
    const { status, headers } = await ask(path + query, browser)
    expect([status, headers.location]).toEqual([303, `/docs/reference${query}`])
  }
})

// JSON-LD 1.1 §4.1.2: a term is an IRI; a person who follows it reads its definition.
test.each(['/', '/errors/404', ...collections, ...items])(
  'each term of %s links to its anchor in the reference',
  async (path) => {
    const { text } = await ask(`${path}?view=source`, 'text/html')
    expect(text).not.toMatch(/href="[^"]*docs\.jsonld#/)
    const terms = [...text.matchAll(/href="[^"]*\/docs\/reference#([^"]+)"/g)].map(([, id]) => id)
    expect(terms.length).toBeGreaterThan(0)
    expect([...new Set(terms)].filter((id) => !anchors.has(id))).toEqual([])
  },
)

test('the links to the other pages of a collection are above its members', async () => {
  const { text } = await ask('/countries?itemsPerPage=100&page=2', 'text/html')
  const [top] = text.split('<table>')
  for (const relation of ['first', 'previous', 'next', 'last'])
    expect(top).toMatch(new RegExp(`<a href="/countries[^"]+" rel="${relation}">`))
  expect((await ask('/locations', 'text/html')).text).not.toContain('rel="first"')
})
