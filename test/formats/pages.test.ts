import jsonld from 'jsonld'
import { Location } from '../../entities/index.ts'
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
      expect(text.match(/<script[^>]*>/g)).toEqual(['<script type="application/ld+json">'])
      expect(text.match(/<\/script/g)).toHaveLength(1)
      expect(text).not.toMatch(/<a href='|<!--/)
      expect(text).toContain('&#60;script&#62;alert(&#34;1&#34;)')
      expect(text.match(/href="[^"]*"/g)?.filter((href) => !/^href="(\/|https?:)/.test(href))).toEqual([])
    }
  })

  test('may load nothing but its own style, and may run no script', async () => {
    const { text, headers } = await ask('/', 'text/html')
    const policy = headers['content-security-policy'] as string
    const [, style] = /<style>(.*)<\/style>/.exec(text) ?? []
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(style))).toString('base64')
    expect(policy).toContain(`style-src 'sha256-${digest}'`)
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/script|unsafe/)
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  test.each(['/', ...collections, ...items])('of %s embeds its document, and every IRI is a link', async (path) => {
    const { text } = await ask(path, 'text/html')
    const [, within] = /<script type="application\/ld\+json">(.*?)<\/script>/s.exec(text) ?? []
    expect(JSON.parse(within)).toEqual(JSON.parse((await ask(path)).text))
    const nodes = nodesOf(await jsonld.expand(JSON.parse((await ask(path)).text), jsonldOptions))
    const iris = nodes.map((node) => node['@id']).filter((iri) => typeof iri === 'string' && iri.startsWith(publicUrl))
    const hrefs = new Set(text.match(/(?<=href=")[^"]*/g)?.map((href) => new URL(unescaped(href), publicUrl).href))
    // A term links to the page of the vocabulary, not to the JSON-LD of its IRI.
    const led = iris.map((iri) => (iri as string).replace('/docs.jsonld#', '/docs.html#'))
    expect(led.filter((iri) => !hrefs.has(iri))).toEqual([])
  })
})

test('the page of the vocabulary embeds the documentation', async () => {
  const { text } = await ask('/docs.html')
  const [, within] = /<script type="application\/ld\+json">(.*?)<\/script>/s.exec(text) ?? []
  expect(JSON.parse(within)).toEqual(JSON.parse((await ask('/docs.jsonld')).text))
})

function nodesOf(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf)
  if (typeof value !== 'object' || value === null || '@value' in value) return []
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(nodesOf)]
}

function unescaped(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
}
