import { Location } from '../../entities/index.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { deleteRows } from '../support/rows/counted-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, given, organization, tenant } = await openWorld()

type Node = { '@id': string; '@type': string }

const total = 95
const ids: string[] = []
for (let n = 0; n < total; n++) ids.push(`/locations/${(await given(Location, { name: `Office ${n}` })).id}`)
await given(Location, { name: 'Not ours', organizationId: elsewhere.organization.id })

/** The links of a view by the number of their page, without the row that they go on from. */
const numbered = (view: Record<string, string>) =>
  Object.fromEntries(Object.entries(view).map(([name, link]) => [name, link.replace(/&(after|before)=[\w-]+/, '')]))

const members = ({ body }: { body: { member: Node[] } }) => body.member.map((node) => node['@id'])

test('a collection is a page of thirty, with links to the next ones', async () => {
  const { body } = await api.get('/locations')
  expect(Object.keys(body)).toEqual([
    '@context',
    '@id',
    '@type',
    'totalItems',
    'member',
    'view',
    'search',
    'memberAssertion',
  ])
  expect(body).toMatchObject({
    '@context': '/contexts/Location',
    '@id': '/locations',
    '@type': 'Collection',
    totalItems: total,
  })
  expect(numbered(body.view)).toEqual({
    '@id': '/locations?page=1',
    '@type': 'PartialCollectionView',
    first: '/locations?page=1',
    last: '/locations?page=4',
    next: '/locations?page=2',
  })
  expect(body.view).not.toHaveProperty('previous')
  expect(body.member).toHaveLength(30)
  expect(body.member[0]).toEqual({ ...(await api.get(body.member[0]['@id'])).body, '@context': undefined })
})

test('a page in the middle leads both ways, the last only back', async () => {
  expect(numbered((await api.get('/locations?page=2')).body.view)).toEqual({
    '@id': '/locations?page=2',
    '@type': 'PartialCollectionView',
    first: '/locations?page=1',
    last: '/locations?page=4',
    previous: '/locations?page=1',
    next: '/locations?page=3',
  })
  const { body } = await api.get('/locations?page=4')
  expect([body.member.length, numbered(body.view).previous, body.view.next]).toEqual([
    5,
    '/locations?page=3',
    undefined,
  ])
})

test.each([5, 6, 1000, 999_999_999])('page %i, past the end, is empty and leads back', async (page) => {
  const { status, body } = await api.get(`/locations?page=${page}`)
  expect([status, body.member, body.totalItems]).toEqual([200, [], total])
  expect(numbered(body.view)).toMatchObject({ last: '/locations?page=4', previous: '/locations?page=4' })
  expect(body.view).not.toHaveProperty('next')
})

test.each([
  ['1', 1, 95],
  ['30', 30, 4],
  ['50', 50, 2],
  ['95', 95, 1],
  ['100', 95, 1],
  ['101', 95, 1],
  ['5000', 95, 1],
  ['1000000000', 95, 1],
  ['9'.repeat(40), 95, 1],
  ['007', 7, 14],
])('itemsPerPage=%s gives %i at once, on %i pages', async (itemsPerPage, size, pages) => {
  const { status, body } = await api.get(`/locations?itemsPerPage=${itemsPerPage}`)
  expect([status, body.member.length, body.totalItems]).toEqual([200, size, total])
  const last = pages > 1 ? `/locations?itemsPerPage=${itemsPerPage}&page=${pages}` : undefined
  expect(numbered(body.view).last).toBe(last)
})

test('a page has at most a hundred items', async () => {
  for (let n = total; n < 105; n++) await given(Location, { name: `Office ${n}` })
  const { body } = await api.get('/locations?itemsPerPage=5000')
  expect([body.member.length, body.totalItems]).toEqual([100, 105])
  expect(numbered(body.view).next).toBe('/locations?itemsPerPage=5000&page=2')
  expect(members(await api.get(body.view.next))).toHaveLength(5)
  const added = Array.from({ length: 105 - total }, (_, n) => `Office ${total + n}`)
  await deleteRows(database, 'location', '"organizationId" = $1 AND "name" = ANY($2)', [organization.id, added])
})

test('itemsPerPage=0 asks for the number alone, on the only page', async () => {
  const { status, body } = await api.get('/locations?itemsPerPage=0')
  expect([status, body.member, body.totalItems]).toEqual([200, [], total])
  expect(body.view).toEqual({ '@id': '/locations?itemsPerPage=0', '@type': 'PartialCollectionView' })
  expectProblem((await api.get('/locations?itemsPerPage=0&page=2')) as never, 400)
})

test('the links of a view keep what was asked, sorted, with the page last', async () => {
  const { body } = await api.get('/locations?z=1&itemsPerPage=40&b[]=%2Fx&a=ä&page=2&b[]=y%20z')
  const kept = 'a=%C3%A4&b%5B%5D=%2Fx&b%5B%5D=y+z&itemsPerPage=40&z=1&page='
  expect(body['@id']).toBe('/locations')
  expect(numbered(body.view)).toEqual({
    '@id': `/locations?${kept}2`,
    '@type': 'PartialCollectionView',
    first: `/locations?${kept}1`,
    last: `/locations?${kept}3`,
    previous: `/locations?${kept}1`,
    next: `/locations?${kept}3`,
  })
})

test('a collection that fits on one page has a view only when the request has a query', async () => {
  const few = as(elsewhere.users.owner)
  expect((await few.get('/locations')).body).not.toHaveProperty('view')
  expect((await few.get('/locations?x=1')).body.view).toEqual({
    '@id': '/locations?x=1',
    '@type': 'PartialCollectionView',
  })
  const { body } = await few.get('/meetings')
  expect([body.totalItems, body.member]).toEqual([0, []])
})

test.each(['/locations', '/locations?itemsPerPage=7', '/locations?itemsPerPage=100', '/locations?itemsPerPage=1'])(
  'the next links from %s lead to each row once, and the previous links lead back the same way',
  async (start) => {
    const walk = async (path: string, way: 'next' | 'previous') => {
      const pages: string[][] = []
      for (let at: string | undefined = path; at; ) {
        const page = await api.get(at)
        pages.push(members(page))
        at = page.body.view?.[way]
      }
      return pages
    }
    const forth = await walk(start, 'next')
    expect(forth.flat()).toEqual([...ids].sort())
    const { view } = (await api.get(start)).body
    expect(await walk(view.last ?? start, 'previous')).toEqual(forth.reverse())
  },
)

test('rows added during paging appear at most once, and no earlier row is missed', async () => {
  const met: string[] = []
  const added: string[] = []
  for (let at: string | undefined = '/locations?itemsPerPage=20'; at; ) {
    const page = await api.get(at)
    met.push(...members(page))
    added.push(`/locations/${(await given(Location, { name: `New ${added.length}` })).id}`)
    at = page.body.view.next
    if (added.length > 20) break
  }
  expect(new Set(met).size).toBe(met.length)
  expect(met).toEqual(expect.arrayContaining(ids))
})

test('a member is counted what it sees', async () => {
  expect((await as(tenant.users.member).get('/meetings')).body.totalItems).toBe(0)
  expect((await as(tenant.users.member).get('/locations')).body.totalItems).toBeGreaterThanOrEqual(total)
})
