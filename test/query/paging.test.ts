import fc from 'fast-check'
import { Meeting } from '../../entities/index.ts'
import { insertRow } from '../../src/hydra/index.ts'
import { deleteRows } from '../support/rows/counted-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, database, organization } = await openWorld()

type Order = [property: 'id' | 'dateFrom' | 'dateTo', direction: 'asc' | 'desc'][]

const at = (day: number) => new Date(Date.UTC(2026, 3, day))
const meetings = { organizationId: organization.id }

/** Meetings with few different values, so that many are equal in what they are ordered by. */
const meeting = fc.record({
  id: fc.uuid({ version: 4 }),
  dateFrom: fc.integer({ min: 1, max: 3 }).map(at),
  dateTo: fc.integer({ min: 4, max: 6 }).map(at),
  notes: fc.constantFrom('roof', 'boiler', null),
})
const order = fc
  .shuffledSubarray<Order[number][0]>(['id', 'dateFrom', 'dateTo'])
  .chain((properties) =>
    fc.tuple(...properties.map((name) => fc.tuple(fc.constant(name), fc.constantFrom('asc', 'desc')))),
  )
  .map((pairs) => pairs as Order)
const filters: [string, (row: Meeting) => boolean][] = [
  ['', () => true],
  ['notes=OO', ({ notes }) => notes === 'roof'],
  ['exists[notes]=false', ({ notes }) => notes === null],
  [`dateFrom[strictly_after]=${at(1).toISOString()}`, ({ dateFrom }) => dateFrom > at(1)],
]
const asked = {
  rows: fc.uniqueArray(meeting, { maxLength: 25, selector: ({ id }) => id }),
  order,
  filter: fc.constantFrom(...filters),
  itemsPerPage: fc.integer({ min: 1, max: 9 }),
}
const queryOf = (order: Order, filter: string, itemsPerPage: number) =>
  [
    '',
    ...order.map(([property, direction]) => `order[${property}]=${direction}`),
    filter,
    `itemsPerPage=${itemsPerPage}`,
  ]
    .filter(Boolean)
    .join('&')

/** Puts these meetings in the place of all others. */
async function only(rows: Partial<Meeting>[]): Promise<Meeting[]> {
  await deleteRows(database, 'meeting', '"organizationId" = $1', [organization.id])
  return add(rows)
}

async function add(rows: Partial<Meeting>[]): Promise<Meeting[]> {
  const whole = rows.map((row) => Object.assign(new Meeting(), meetings, row))
  for (const row of whole) await insertRow(database.manager, row)
  return whole
}

const compare = (order: Order) => (one: Meeting, other: Meeting) => {
  for (const [property, direction] of [...order, ['id', order.at(-1)?.[1] ?? 'asc']] as Order)
    if (+(one[property] > other[property]) - +(one[property] < other[property]) !== 0)
      return one[property] > other[property] === (direction === 'asc') ? 1 : -1
  return 0
}

/** The ids that are met on the way, in the order of the collection; between two pages something may happen. */
async function walk(start: string, way: 'next' | 'previous', meanwhile = async () => {}): Promise<string[]> {
  const pages: string[][] = []
  let path: string | undefined = start
  if (way === 'previous') path = (await api.get(start)).body.view.last ?? start
  for (; path && pages.length < 200; await meanwhile()) {
    const { status, body } = await api.get(path)
    expect([status, body.detail]).toEqual([200, undefined])
    pages.push(body.member.map((node: Record<string, string>) => node['@id'].slice('/meetings/'.length)))
    path = body.view[way]
  }
  return (way === 'next' ? pages : pages.reverse()).flat()
}

test('the next and previous links lead to every row once and in order, as page numbers do', () =>
  fc.assert(
    fc.asyncProperty(fc.record(asked), async ({ rows, order, filter: [filter, holds], itemsPerPage }) => {
      const ids = (await only(rows))
        .filter(holds)
        .sort(compare(order))
        .map(({ id }) => id)
      const path = `/meetings?${queryOf(order, filter, itemsPerPage)}`
      expect(await walk(path, 'next')).toEqual(ids)
      expect(await walk(path, 'previous')).toEqual(ids)
      for (let page = 1; page <= Math.ceil(ids.length / itemsPerPage) + 1; page++) {
        const { body } = await api.get(`${path}&page=${page}`)
        const wanted = ids.slice((page - 1) * itemsPerPage, page * itemsPerPage)
        expect(body.totalItems).toBe(ids.length)
        expect(body.member.map((node: Record<string, string>) => node['@id'].slice(10))).toEqual(wanted)
      }
    }),
    { numRuns: 25 },
  ))

test('rows that stay during changes appear once, added rows at most once, and all in order', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        ...asked,
        way: fc.constantFrom('next' as const, 'previous' as const),
        steps: fc.array(
          fc.record({ added: fc.array(meeting, { maxLength: 3 }), removed: fc.array(fc.nat(), { maxLength: 3 }) }),
        ),
      }),
      async ({ rows, order, filter: [filter, holds], itemsPerPage, way, steps }) => {
        const all = new Map((await only(rows)).map((row) => [row.id, row]))
        const staying = new Set(all.keys())
        const left = [...steps]
        const met = await walk(`/meetings?${queryOf(order, filter, itemsPerPage)}`, way, async () => {
          const { added = [], removed = [] } = left.shift() ?? {}
          for (const row of await add(added.filter(({ id }) => !all.has(id)))) all.set(row.id, row)
          for (const place of removed) {
            const id = [...all.keys()][place % all.size]
            if (id && staying.delete(id))
              await deleteRows(database, 'meeting', '"organizationId" = $1 AND "id" = $2', [organization.id, id])
          }
        })
        expect(new Set(met).size).toBe(met.length)
        const wanted = [...staying].filter((id) => holds(all.get(id) as Meeting))
        expect(met).toEqual(expect.arrayContaining(wanted))
        expect(met).toEqual(
          met
            .map((id) => all.get(id) as Meeting)
            .sort(compare(order))
            .map(({ id }) => id),
        )
      },
    ),
    { numRuns: 40 },
  ))
