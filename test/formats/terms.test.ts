const { as } = await openWorld()

// The same mistake could be in any page with terms: items, collections, the entrypoint, errors.
import { openWorld } from '../support/world.ts'
import { ask, collections, items } from './representations.ts'

const { text: page, headers, status } = await ask('/docs.html', 'text/html')
const anchors = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))

test('the page of the vocabulary may load nothing, and has one anchor for each term', () => {
  expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/)
  expect(page.match(/<script[^>]*>/g)).toEqual(['<script type="application/ld+json">'])
  expect([...page.matchAll(/ id="/g)].length).toBe(anchors.size)
  for (const id of ['Meeting', 'Meeting/time', 'Organization/clear', 'Entrypoint/meeting', 'Error/status'])
    expect(anchors).toContain(id)
})

// JSON-LD 1.1 §4.1.2: a term is an IRI; a person who follows it reads its definition.
test.each(['/', '/errors/404', ...collections, ...items])(
  'each term of %s links to its anchor on a page',
  async (path) => {
    const { text } = await ask(path, 'text/html')
    expect(text).not.toMatch(/href="[^"]*docs\.jsonld#/)
    const terms = [...text.matchAll(/href="[^"]*\/docs\.html#([^"]+)"/g)].map(([, id]) => id)
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
  expect((await as().get('/docs.html')).status).toBe(200)
})
