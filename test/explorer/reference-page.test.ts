import { raw } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

const { api, as } = await openWorld()

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const page = await as().get('/docs').set('Accept', browser)

test('a browser that opens the documentation gets Swagger UI', () => {
  expect(page.status).toBe(200)
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/)
  expect(page.headers.vary).toContain('Accept')
  expect(page.headers.link).toContain('rel="http://www.w3.org/ns/hydra/core#apiDocumentation"')
  expect(page.text).not.toMatch(/<script(?![^>]* src=)[^>]*>|<style|\son\w+=/)
})

test('the page uses files of this server only, which browsers may cache', async () => {
  const files = [...page.text.matchAll(/(?:src|href)="(docs\/assets\/[^"]+)"/g)].map(([, path]) => `/${path}`)
  expect(files).toHaveLength(4)
  expect(page.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
  for (const path of files) {
    const { status, headers } = await as().get(path)
    expect({ path, status }).toEqual({ path, status: 200 })
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(headers['content-type']).toMatch(/^text\/(css|javascript); charset=utf-8$/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect((await as().get(path).set('If-None-Match', headers.etag)).status).toBe(304)
  }
  expect((await as().get(files[3]).buffer()).text).toContain("url: 'docs.jsonopenapi'")
})

test.each([
  ['nothing in particular', '*/*', 'application/ld+json'],
  ['JSON-LD', 'application/ld+json', 'application/ld+json'],
  ['JSON-LD rather than a page', 'text/html;q=0.5, application/ld+json', 'application/ld+json'],
  ['OpenAPI', 'application/vnd.openapi+json', 'application/vnd.openapi+json'],
])('a client that accepts %s gets that', async (_, accept, type) => {
  const { status, headers } = await api.get('/docs').set('Accept', accept)
  expect([status, headers['content-type']]).toEqual([200, `${type}; charset=utf-8`])
})

test('no other file is served', async () => {
  const [, digest] = /assets\/(\w+)\//.exec(page.text) as RegExpExecArray
  for (const name of ['package.json', '..%2fpackage.json', 'toString', '__proto__', ''])
    expect((await raw('GET', `/docs/assets/${digest}/${name}`)).status).toBe(404)
  expect((await as().post('/docs', {})).status).toBe(405)
})

// A client shows the example of the document before it invents one (OpenAPI 3.1 §4.8.24).
test('examples name resources of the demo, and each filter has a description and a type', async () => {
  const { body } = await as().get('/docs.jsonopenapi')
  const iris: unknown[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { format, example } = node as { format?: string; example?: string }
    if (format === 'iri-reference' && !(node as { items?: unknown }).items) iris.push(example ?? null)
    for (const value of Object.values(node)) visit(value)
  }
  visit(
    Object.values(body.components.schemas).flatMap((schema) =>
      Object.entries((schema as { properties?: object }).properties ?? {}).map(([, value]) =>
        (value as { type?: string }).type === 'array' ? {} : value,
      ),
    ),
  )
  expect(iris.length).toBeGreaterThan(30)
  for (const example of iris) expect(example).toMatch(/^\//)
  const { employee } = body.components.schemas.Meeting.properties
  expect(employee.example).toMatch(/^\/employees\/[0-9a-f-]{36}$/)
  expect(body.components.schemas.OrganizationAddress.properties.country.example).toBe('/countries/NL')
  const { parameters } = body.paths['/meetings'].get
  const named = (name: string) => parameters.find((parameter: { name?: string }) => parameter.name === name)
  expect(named('exists[time]').schema.type).toBe('boolean')
  expect(named('dateFrom[after]').description).not.toBe(named('dateFrom[before]').description)
  expect(
    body.paths['/locations'].get.parameters.find(({ name }: { name?: string }) => name === 'officeOpenHour[gt]').schema
      .type,
  ).toBe('integer')
})
