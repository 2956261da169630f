import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { QueryEngine } from '@comunica/query-sparql'
import { type Employee, Meeting } from '../../entities/index.ts'
import { collections, owner, rows } from '../formats/representations.ts'
import { morning, openWorld } from '../support/world.ts'

const { database, given, organization, publicUrl } = await openWorld()

// Comunica 5 is a package of its own: its undici 8 needs Node 22, and test/clients/comunica replaces it by undici 7.
const newer = resolve('test/clients/comunica/node_modules/@comunica/query-sparql/lib/index.js')
const engines: [version: number, engine: QueryEngine][] = [[4, new QueryEngine()]]

if (existsSync(newer)) engines.push([5, new (await import(pathToFileURL(newer).href)).QueryEngine()])
else {
  const why = 'run `npm ci --ignore-scripts --prefix test/clients/comunica`'
  console.warn(`Comunica 5 is not tested (skipped: ${why}).`)
  test.skip(`@comunica/query-sparql 5 (skipped: ${why})`, () => {})
}

const call: typeof fetch = (url, init) => {
  const headers = new Headers(init?.headers)
  headers.set('Authorization', owner)
  return fetch(url, { ...init, headers })
}

beforeAll(async () => {
  for (let count = 0; count < 64; count++)
    await given(Meeting, { employee: rows.Employee as Employee, ...morning, notes: `Number ${count}` })
})

describe.each(engines)('@comunica/query-sparql %i', (_, engine) => {
  const select = selectWith(engine)

  test.each(collections)('finds the members of %s', async (path) => {
    const answer = await call(`${publicUrl}${path}?itemsPerPage=100`)
    const { totalItems, member } = (await answer.json()) as { totalItems: number; member: { '@id': string }[] }
    const found = await select(`SELECT DISTINCT ?member { ?collection hydra:member ?member }`, [path])
    expect(found).toHaveLength(totalItems)
    expect(found.map(({ member }) => member)).toEqual(
      expect.arrayContaining(member.map((node) => publicUrl + node['@id'])),
    )
  })

  test('joins meetings of all pages with the names of their employees', async () => {
    const found = await select(
      `SELECT ?meeting ?name { ?meeting a api:Meeting; schema:attendee ?employee; schema:startDate ?from.
        ?employee schema:name ?name. FILTER(?from < "2026-05-01T00:00:00Z"^^xsd:dateTime) }`,
      ['/meetings', '/employees'],
    )
    const meetings = await database.manager.findBy(Meeting, { organizationId: organization.id })
    const expected = meetings.filter(({ employeeId, dateFrom }) => employeeId && dateFrom < new Date('2026-05-01'))
    expect(expected.length).toBeGreaterThan(60)
    expect(found.map(({ meeting }) => meeting).sort()).toEqual(
      expected.map(({ id }) => `${publicUrl}/meetings/${id}`).sort(),
    )
    expect(new Set(found.map(({ name }) => name)).size).toBe(1)
  })

  test('finds in the documentation the classes whose members can be created', async () => {
    const found = await select(
      `SELECT DISTINCT ?title { ?property hydra:supportedOperation [ hydra:method "POST" ]; hydra:memberAssertion
        [ hydra:property rdf:type; hydra:object ?class ]. ?class hydra:title ?title }`,
      ['/docs.jsonld'],
    )
    expect(found.map(({ title }) => title)).toEqual(expect.arrayContaining(['Meeting', 'Location', 'Subscription']))
    expect(found.map(({ title }) => title)).not.toContain('Country')
  })
})

const prefixes = `PREFIX api: <${publicUrl}/docs.jsonld#> PREFIX hydra: <http://www.w3.org/ns/hydra/core#>
  PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX schema: <https://schema.org/>
  PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> `

/** Without this option of its own, Comunica 5 reads the first pages only of several sources. */
const following = { '@comunica/bus-query-source-identify:traverse': true }

/** Comunica follows `next` from the page whose address it gets. */
function selectWith(engine: QueryEngine) {
  return async (query: string, paths: string[]): Promise<Record<string, string>[]> => {
    const [first, ...others] = paths.map((path) => publicUrl + path + (path.includes('.') ? '' : '?page=1'))
    const stream = await engine.queryBindings(prefixes + query, {
      sources: [first, ...others],
      fetch: call,
      ...following,
    })
    const rows = await stream.toArray()
    return rows.map((row) => Object.fromEntries([...row].map(([{ value: name }, { value }]) => [name, value])))
  }
}
