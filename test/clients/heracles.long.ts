import heracles, { type ICollection, type IHydraClient, type ITemplatedLink } from '@hydra-cg/heracles.ts'
import { type Employee, Meeting } from '../../entities/index.ts'
import { classes, collections } from '../support/docs.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { database, given, organization, publicUrl, tenant, tokenOf } = await openWorld()

const headers = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
const call = (url: string, init: RequestInit = {}) => fetch(url, { ...init, headers: { ...init.headers, ...headers } })
let client: IHydraClient
let meetings: string[]

beforeAll(async () => {
  client = heracles.default.configure().withDefaults().withAllHttpLinks().with(call).andCreate()
  const { Employee: employee } = await rowsOf(tenant)
  for (let count = 0; count < 64; count++) await given(Meeting, { employee: employee as Employee, ...morning })
  const rows = await database.manager.findBy(Meeting, { organizationId: organization.id })
  meetings = rows.map(({ id }) => `${publicUrl}/meetings/${id}`).sort()
})

describe('@hydra-cg/heracles.ts', () => {
  test('reads the documentation', async () => {
    const documentation = await client.getApiDocumentation(`${publicUrl}/`)
    expect(documentation.entryPoint).toBe(`${publicUrl}/`)
    expect(Array.from(documentation.supportedClasses, ({ iri }) => iri)).toEqual(
      expect.arrayContaining([...classes.keys()].map((name) => `${publicUrl}/docs.jsonld#${name}`)),
    )
    const [location] = documentation.supportedClasses.ofIri(`${publicUrl}/docs.jsonld#Location`)
    expect(Array.from(location.supportedOperations, ({ method }) => method)).toEqual(['GET', 'PATCH'])
  })

  test('finds every collection from the entrypoint', async () => {
    const { links } = await client.getResource(`${publicUrl}/`)
    const found = new Map(Array.from(links, ({ relation, target }) => [relation.split('/').pop(), target.iri]))
    expect([...found.keys()]).toEqual([...collections.keys()])

    const collection = await collectionAt(found.get('meeting') as string)
    expect(collection.totalItems).toBe(meetings.length)
    expect(Array.from(collection.members, ({ type }) => [...type])).toContainEqual([`${publicUrl}/docs.jsonld#Meeting`])
  })

  test('finds the collection of a class in the entrypoint', async () => {
    const start = await client.getResource(`${publicUrl}/`)
    expect(Array.from(start.collections)).toHaveLength(collections.size)
    const found = start.collections.withMembersOfType(`${publicUrl}/docs.jsonld#Meeting`)
    expect(Array.from(found, ({ iri }) => iri)).toEqual([`${publicUrl}/meetings`])
  })

  test('follows the pages of a collection forward and back', async () => {
    const collection = await collectionAt(`${publicUrl}/meetings`)
    const members = Array.from(collection.members, ({ iri }) => iri)
    const pages = collection.getIterator()
    while (pages.hasNextPart) members.push(...Array.from(await pages.getNextPart(), ({ iri }) => iri))
    expect(members.sort()).toEqual(meetings)

    expect(Array.from(await pages.getPreviousPart())).toHaveLength(30)
    expect(Array.from(await pages.getLastPart())).toHaveLength(5)
    expect(Array.from(await pages.getFirstPart())).toHaveLength(30)
    expect(pages.hasPreviousPart).toBe(false)
  })

  test('filters a collection by the template of its search', async () => {
    const collection = await collectionAt(`${publicUrl}/meetings`)
    const [search] = collection.links.withRelationOf(
      'http://www.w3.org/ns/hydra/core#search',
    ) as unknown as Iterable<ITemplatedLink>
    const { target } = search.expandTarget((values) =>
      values
        .withProperty('https://schema.org/identifier')
        .havingValueOf(meetings[0])
        .withVariable('dateFrom%5Bafter%5D')
        .havingValueOf('2000-01-01T00:00:00Z'),
    )
    expect(target.iri).toContain('dateFrom%5Bafter%5D=2000')
    const { member } = (await (await call(target.iri)).json()) as { member: object[] }
    expect(member.map((node) => publicUrl + node['@id' as never])).toEqual([meetings[0]])
  })
})

async function collectionAt(iri: string): Promise<ICollection> {
  return (await client.getResource(iri)) as unknown as ICollection
}
