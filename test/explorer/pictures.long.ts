import type pg from 'pg'
import type { Pool } from 'pg'
import { Invoice, OrganizationConfig, Subscription } from '../../entities/index.ts'
import { poolsOf } from '../../src/runtime/database.ts'
import { crowd } from '../support/rows/bulk-rows.ts'
import { openWorld } from '../support/world.ts'
import { open, textOf } from './browser.ts'

const { database, elsewhere, given, givenAddress, organization, served } = await openWorld()

/** The rows of the tenant, and of all others in the same table. */
const [own, others] = [25_000, 75_000]

type Statement = { text: string; values: unknown[]; scope?: { readonly text: string } }

const { pool } = poolsOf(served).lists
const query = pool.query.bind(pool) as (statement: object) => Promise<pg.QueryResult>
let sums: Statement | undefined
pool.query = ((statement: Statement) => {
  if (statement.text?.includes('AS "sums"')) sums = statement
  return query(statement)
}) as Pool['query']

const rowsIn = ({ page }: Awaited<ReturnType<typeof open>>, section = 0) =>
  page('section.picture')
    .eq(section)
    .find('tbody tr')
    .map((_, row) => [
      page(row)
        .children()
        .map((_, cell) => page(cell).text().replace(/\s/g, ' '))
        .get(),
    ])
    .get()

test('months of moments are those of the zone of the organization, and rows without a moment are told apart', async () => {
  await database.manager.update(
    OrganizationConfig,
    { organizationId: organization.id, key: 'timezone' },
    { value: 'Europe/Amsterdam' },
  )
  const subscription = await given(Subscription, { organizationAddress: await givenAddress(), seats: 1 })
  const bill = (issuedAt: string | null, total: number, currency = 'EUR') =>
    given(Invoice, {
      ...{ subscription, externalId: `in_${issuedAt}_${total}`, status: 'open', currency, total, amountDue: total },
      issuedAt: issuedAt === null ? null : new Date(issuedAt),
    })
  await bill('2026-01-31T23:30:00Z', 12_345)
  await bill('2026-01-31T22:30:00Z', 5)
  await bill('2026-02-28T12:00:00Z', 1_000, 'JPY')
  await bill(null, 700)
  const opened = await open('/invoices?view=months')
  expect(rowsIn(opened)).toEqual([
    ['February 2026', '1', '€123.45', '€123.50'],
    ['January 2026', '1', '€0.05', '€0.05'],
    ['without “Issued at”', '1', '€7.00', '€130.50'],
  ])
  expect(rowsIn(opened, 1)).toEqual([['February 2026', '1', 'JP¥1,000', 'JP¥1,000']])
  const february = await open(opened.page('section.picture tbody a').first().attr('href') as string)
  expect(textOf(february.page, '.total')).toBe('2 in total')
  const below = await open(`/subscriptions/${subscription.id}/invoices?view=months`)
  expect(rowsIn(below)).toEqual(rowsIn(opened))
})

describe('In a table of 100,000 rows', () => {
  beforeAll(async () => {
    await crowd(organization.id, own, ['bank_transaction'])
    await crowd(elsewhere.organization.id, others, ['bank_transaction'])
  }, 300_000)

  test('sums are found by an index of the tenant, and those that are left out are told', async () => {
    const filters = ['', '&currency=EUR', '&transactionOn[after]=2025-01-01&transactionOn[before]=2025-03-31']
    for (const filter of filters) {
      const opened = await open(`/bank-transactions?view=days${filter}`)
      expect(opened.status).toBe(200)
      expect(opened.page('section.picture tbody tr').length).toBeLessThanOrEqual(100)
      const { text, values, scope } = sums as Statement
      const { rows } = await query({ text: `EXPLAIN (FORMAT JSON) ${text}`, values, scope })
      const plan = JSON.stringify(rows[0]['QUERY PLAN'])
      expect(plan).toMatch(/"Index Cond":"\S*organizationId/)
      if (filter.includes('after')) expect(plan).toMatch(/"Index Cond":"[^}]*transactionOn\\" [<>]=/)
    }
  })

  test('days that are left out are a link away, and totals hold them', async () => {
    const first = await open('/bank-transactions?view=days&currency=EUR')
    const [[, , , all]] = rowsIn(first)
    const { rows } = await query({
      text: `SELECT sum("amount") AS "all" FROM "bank_transaction" WHERE "organizationId" = $1 AND "currency" = 'EUR'`,
      values: [organization.id],
      scope: { text: organization.id },
    })
    expect(Number(all.replace(/[^\d.-]/g, ''))).toBe(Number(rows[0].all))
    const earlier = await open(first.page('.left-out a').attr('href') as string)
    const [newest, oldest] = [rowsIn(earlier)[0][0], rowsIn(first).at(-1)?.[0]]
    expect(Date.parse(newest)).toBeLessThan(Date.parse(oldest as string))
  })
})
