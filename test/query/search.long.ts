import { parseHydraDocumentation } from '@api-platform/api-doc-parser'
import jsonld, { type JsonLdDocument } from 'jsonld'
import { api as table } from '../../src/api.ts'
import { propertiesOf } from '../support/docs.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, publicUrl, tenant, tokenOf } = await openWorld()

interface Mapping {
  variable: string
  property: string
  required: boolean
}

const rows = await rowsOf(tenant)
const paths = table({} as never, {} as never, {} as never)
  .filter(({ listed }) => listed)
  .map(({ path, name }) => [path, name])
const hydra = 'http://www.w3.org/ns/hydra/core#'
const strictly = (path: string) => api.get(path).set('Prefer', 'handling=strict')
const searchOf = async (path: string): Promise<{ template: string; mapping: Mapping[] }> =>
  (await api.get(path)).body.search

/** The IRI that the documentation writes short. */
const absolute = (iri = '') => iri.replace(/^schema:/, 'https://schema.org/').replace(/^#/, `${publicUrl}/docs.jsonld#`)

/** A value that a variable takes. */
function good(variable: string): string {
  if (/^(page|itemsPerPage)$/.test(variable)) return '1'
  if (variable.startsWith('order[')) return 'desc'
  if (variable === 'properties[]') return '@type'
  if (/\[(before|after|strictly_\w+)\]$/.test(variable)) return '2026-04-01T08:00:00%2B02:00'
  if (variable.endsWith('[between]')) return '1..2'
  if (variable.startsWith('exists[') || /^(active|demo|enabled|preferred)\b/.test(variable)) return 'true'
  return /\[(gte?|lte?)\]$/.test(variable) ? '5' : '01900000-0000-7000-8000-00000000000a'
}

test.each(paths)('%s takes everything that it advertises, and refuses the rest when told to', async (path, name) => {
  const { template, mapping } = await searchOf(path)
  const known = mapping.map(({ variable }) => variable)
  const written = known.filter((variable) => !variable.includes('['))
  expect(template).toBe(`${path}{?${written.map((variable) => variable.replace(/%5B%5D$/, '$&*')).join(',')}}`)
  const variables = written.map(decodeURIComponent)
  expect(known.filter((variable) => variable.includes('['))).toEqual(variables.filter((name) => name.includes('[')))
  for (const variable of variables) {
    const value =
      /^country\b/.test(variable) || path === '/countries' ? good(variable).replace(/^0.*/, 'NL') : good(variable)
    const { status, body } = await strictly(`${path}?${variable}=${value}`)
    expect([variable, status, body.detail]).toEqual([variable, 200, undefined])
  }
  for (const { title } of [...propertiesOf(name), { title: 'organization' }])
    for (const variable of [
      title,
      `${title}[]`,
      `exists[${title}]`,
      `order[${title}]`,
      `${title}[after]`,
      `${title}[gt]`,
    ])
      if (!variables.includes(variable)) {
        const problem = expectProblem((await strictly(`${path}?${variable}=1`)) as never, 400)
        expect(problem.detail).toContain(`"${variable}"`)
        expect((await api.get(`${path}?${variable}=1`)).body.totalItems).toBe((await api.get(path)).body.totalItems)
      }
})

test.each(paths)(
  'the search of %s names the property of each variable, and gives its IRI to a JSON-LD processor',
  async (path, name) => {
    const { body } = await api.get(path)
    const context = (await api.get(`/contexts/${name}`)).body['@context']
    const [node] = (await jsonld.expand({ ...body, '@context': context } as JsonLdDocument, {
      base: publicUrl,
    })) as never[]
    const said = node[`${hydra}search`][0][`${hydra}mapping`] as Record<string, Record<string, string>[]>[]
    const meant = new Map(
      said.map((mapping) => [mapping[`${hydra}variable`][0]['@value'], mapping[`${hydra}property`]?.[0]['@id']]),
    )
    expect(meant.get('page')).toBe(`${hydra}pageIndex`)
    expect(meant.get('itemsPerPage')).toBe(`${hydra}limit`)
    expect(meant.get('id')).toBe('https://schema.org/identifier')
    const keys = propertiesOf(name).map(({ title }) => title)
    for (const { variable, property, required } of body.search.mapping as Mapping[]) {
      expect([required, meant.get(variable)]).toEqual([false, expect.stringMatching(/^https?:/)])
      if (variable === 'q') expect(meant.get('q')).toBe(`${hydra}freetextQuery`)
      else if (!property.includes(':')) {
        expect(keys).toContain(property)
        expect(meant.get(variable)).toBe(
          absolute(propertiesOf(name).find(({ title }) => title === property)?.property['@id']),
        )
      }
    }
  },
)

test('a collection at a path of its own is searched there', async () => {
  const path = `/subscriptions/${rows.Subscription.id}/invoices`
  const { template } = await searchOf(path)
  expect(template).toMatch(new RegExp(`^${path}\\{\\?id,id%5B%5D\\*,name`))
  expect((await strictly(`${path}?status=paid`)).body.totalItems).toBe(1)
  expect((await strictly(`${path}?status=open`)).body.totalItems).toBe(0)
})

test('@api-platform/api-doc-parser reads what can be asked', async () => {
  const headers = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
  const { api: parsed } = await parseHydraDocumentation(publicUrl, { headers })
  const meetings = parsed.resources?.find(({ name }) => name === 'meetings')
  const parameters = await meetings?.getParameters?.()
  const { mapping } = await searchOf('/meetings')
  expect(parameters?.map(({ variable }) => variable)).toEqual(mapping.map(({ variable }) => variable))
  expect(parameters?.find(({ variable }) => variable === 'dateFrom[after]')?.range).toBe(
    'http://www.w3.org/2001/XMLSchema#dateTime',
  )
})

test.each(paths)('of the items of %s only what is asked for is shown, and who they are', async (path) => {
  const { body } = await api.get(`${path}?properties[]=name&properties[0]=nonsense&itemsPerPage=1`)
  expect(Object.keys(body)).toEqual(
    expect.arrayContaining(['@context', '@id', '@type', 'totalItems', 'member', 'search']),
  )
  const [node] = body.member
  expect(Object.keys(node).filter((key) => key !== 'name')).toEqual(['@id', '@type'])
  const item = (await api.get(`${node['@id']}?properties[]=name`)).body
  expect(Object.keys(item).filter((key) => key !== 'name')).toEqual(['@context', '@id', '@type'])
})
