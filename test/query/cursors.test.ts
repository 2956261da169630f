import fc from 'fast-check'
import { Employee, Location } from '../../entities/index.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'

const { api, given } = await openWorld()

test('a link keeps two orders as they were given, whatever their names', async () => {
  for (const name of ['a', 'b']) await given(Location, { name })
  const { body } = await api.get('/locations?order[name]=asc&order[id]=desc&itemsPerPage=1&a=1')
  const shared = 'a=1&itemsPerPage=1&order%5Bname%5D=asc&order%5Bid%5D=desc'
  expect(body.view.next).toMatch(`/locations?${shared}&page=2&after=`)
  expect((await api.get(body.view.next)).body.member[0].name).toBe('b')
})

test('names of any signs lead on', async () => {
  const names = ['😀'.repeat(255), '😀'.repeat(255), 'Ω'.repeat(255), '"\\\n', "a'b", 'ﬃ', '￿', ' x']
  for (const name of names) await given(Employee, { name })
  let met = 0
  for (let path = '/employees?order[name]=desc&itemsPerPage=1'; path && met < 20; met++)
    path = (await api.get(path)).body.view.next
  expect(met).toBe(names.length)
})

const cursor = (...values: unknown[]) => Buffer.from(JSON.stringify(values)).toString('base64url')
const id = '01900000-0000-7000-8000-00000000000a'
const dated = 'order[dateFrom]=asc&'

test.each(
  [
    ...[
      '',
      'x',
      'end',
      'null',
      '%00',
      '{}',
      cursor(),
      cursor(1),
      cursor(null),
      cursor(id, id),
      cursor('x'),
      cursor({ id }),
    ],
    ...[cursor([id]), cursor(id.toUpperCase()), cursor(`${id}\0`), cursor("' OR 1=1 --"), `${cursor(id)}`.repeat(50)],
  ]
    .flatMap((text) => [
      ['', text],
      [dated, text],
    ])
    .concat([
      [dated, cursor(id)],
      ...['2026-04-01', '-271821-04-20T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', 'infinity', 5].map((date) => [
        dated,
        cursor(date, id),
      ]),
      ['', cursor('2026-04-01T00:00:00.000Z', id)],
    ]),
)('the cursor of /meetings?%safter=%s is refused', async (query, text) => {
  const answer = await api.get(`/meetings?${query}after=${text}`)
  expect(expectProblem(answer as never, 400).detail).toContain('"after"')
})

test('a cursor of anywhere else, and of any bytes, does no harm', async () => {
  await given(Location, { name: 'Other' })
  for (const place of ['after', 'before'])
    for (const path of ['/meetings', '/locations', '/languages', '/organization-configs'])
      expect((await api.get(`${path}?${place}=${cursor(id)}&page=7`)).status).toBe(200)
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
      const [plain, coded] = [encodeURIComponent(text), Buffer.from(text).toString('base64url')]
      for (const path of [`/meetings?before=${plain}`, `/locations?order[name]=asc&after=${coded}`])
        expect([200, 400]).toContain((await api.get(path)).status)
    }),
  )
})
