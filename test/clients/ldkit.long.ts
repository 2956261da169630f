import { QueryEngine } from '@comunica/query-sparql'
import { createLens, type Options } from 'ldkit'
import { xsd } from 'ldkit/namespaces'
import { type Employee, Meeting } from '../../entities/index.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { database, given, organization, publicUrl, tenant, tokenOf } = await openWorld()

const rows = await rowsOf(tenant)
const authorization = `Bearer ${await tokenOf(tenant.users.owner)}`
const call: typeof fetch = (url, init) => {
  const headers = new Headers(init?.headers)
  headers.set('Authorization', authorization)
  return fetch(url, { ...init, headers })
}
const of = (...paths: string[]) =>
  ({ sources: paths.map((path) => publicUrl + path), engine: new QueryEngine(), fetch: call }) as unknown as Options

const meeting = {
  '@type': `${publicUrl}/docs.jsonld#Meeting`,
  employee: {
    '@id': 'https://schema.org/attendee',
    '@schema': { '@type': `${publicUrl}/docs.jsonld#Employee`, name: 'https://schema.org/name' },
  },
  dateFrom: { '@id': 'https://schema.org/startDate', '@type': xsd.dateTime },
  notes: { '@id': 'https://schema.org/description', '@optional': true },
} as const

beforeAll(async () => {
  for (let count = 0; count < 64; count++)
    await given(Meeting, { employee: rows.Employee as Employee, ...morning, notes: `Number ${count}` })
})

describe('LDkit', () => {
  test('reads meetings of all pages as objects with their employees', async () => {
    const found = await createLens(meeting, of('/meetings?page=1', '/employees?page=1')).find({ take: 1000 })
    const stored = await database.manager.findBy(Meeting, { organizationId: organization.id })
    expect(found.map(({ $id }) => $id).sort()).toEqual(stored.map(({ id }) => `${publicUrl}/meetings/${id}`).sort())
    const [one] = found.filter(({ notes }) => notes === 'Number 7')
    expect(one).toMatchObject({
      employee: { $id: `${publicUrl}/employees/${rows.Employee.id}`, name: expect.any(String) },
      dateFrom: morning.dateFrom,
    })
  })

  test('finds a meeting by its IRI, and others by its own filter', async () => {
    const lens = createLens(meeting, of('/meetings?page=1', '/employees?page=1'))
    const iri = `${publicUrl}/meetings/${rows.Meeting.id}`
    expect((await lens.findByIri(iri))?.$id).toBe(iri)
    const noted = { ...meeting, notes: 'https://schema.org/description' } as const
    const found = await createLens(noted, of('/meetings?page=1', '/employees?page=1')).find({
      where: { notes: { $strStarts: 'Number 1' } },
    })
    expect(found.map(({ notes }) => notes).sort()).toEqual(
      ['1', ...Array.from({ length: 10 }, (_, index) => `1${index}`)].map((number) => `Number ${number}`).sort(),
    )
  })
})
