import { load } from 'cheerio'
import jsonld from 'jsonld'
import { Location } from '../../entities/index.ts'
import { raw } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'
import { jsonldOptions } from './rdf.ts'
import { ask, collections, items } from './representations.ts'

const { given, publicUrl } = await openWorld()

describe('A page', () => {
  const hostile = `<script>alert("1")</script><a href='javascript:x'>&amp;<!-- `

  test('escapes all tags in values', async () => {
    const { id } = await given(Location, { name: hostile })
    for (const path of [`/locations/${id}`, '/locations?itemsPerPage=100']) {
      const { text } = await ask(path, 'text/html')
      expect(text.match(/<script[^>]*>/g)).toEqual([
        expect.stringMatching(/^<script type="module" src="\/explorer\/\w+\/explorer\.js">$/),
        '<script type="application/ld+json">',
      ])
      expect(text.match(/<\/script/g)).toHaveLength(2)
      expect(text).not.toMatch(/<a href='|<!--/)
      const page = load(text)
      expect(page('main').text()).toContain(hostile)
      expect(page('main script')).toHaveLength(0)
      const hrefs = page('[href]').map((_, { attribs }) => attribs.href)
      expect(hrefs.get().filter((href) => !/^(\/|https?:|#)/.test(href))).toEqual([])
    }
  })

  test('may load files of this server only, and has no inline style and no inline script', async () => {
    for (const path of ['/', '/meetings', '/meetings/x']) {
      const { text, headers } = await ask(path, 'text/html')
      const policy = headers['content-security-policy'] as string
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
      expect(headers['x-content-type-options']).toBe('nosniff')
      const page = load(text)
      expect(page('style, [style], script:not([type="application/ld+json"]):not([src])')).toHaveLength(0)
      const loaded = page('link[rel="stylesheet"], link[rel="icon"], script[src], img').get()
      for (const { attribs } of loaded) expect(attribs.href ?? attribs.src).toMatch(/^\/(?!\/)/)
    }
  })

  test('has files that browsers may keep forever', async () => {
    const page = load((await ask('/', 'text/html')).text)
    for (const { attribs } of page('link[rel="stylesheet"], link[rel="icon"]').get()) {
      const { status, headers } = await raw('GET', attribs.href)
      expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
      expect((await raw('GET', attribs.href, { 'If-None-Match': headers.etag as string })).status).toBe(304)
    }
  })

  test.each(['/', ...collections, ...items])('of %s embeds its document, and every IRI is a link', async (path) => {
    const { text } = await ask(path, 'text/html')
    const [, within] = /<script type="application\/ld\+json">(.*?)<\/script>/s.exec(text) ?? []
    expect(JSON.parse(within)).toEqual(JSON.parse((await ask(path)).text))
    const nodes = nodesOf(await jsonld.expand(JSON.parse((await ask(path)).text), jsonldOptions))
    const iris = nodes.map((node) => node['@id']).filter((iri) => typeof iri === 'string' && iri.startsWith(publicUrl))
    // The page of a collection has its document, in which every IRI is a link, on request.
    const source = (await ask(`${path}?view=source`, 'text/html')).text
    const page = load(text + source)
    const hrefs = new Set(page('[href]').map((_, { attribs }) => new URL(attribs.href, publicUrl).href))
    // A term links to its definition in the reference, not to the JSON-LD of its IRI.
    const led = iris.map((iri) => (iri as string).replace('/docs.jsonld#', '/docs/reference#'))
    expect(led.filter((iri) => !hrefs.has(iri))).toEqual([])
  })
})

function nodesOf(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf)
  if (typeof value !== 'object' || value === null || '@value' in value) return []
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(nodesOf)]
}
