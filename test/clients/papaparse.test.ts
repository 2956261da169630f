import { parse } from 'papaparse'
import {
  type BankAccount,
  BankTransaction,
  Employee,
  Invoice,
  Location,
  type Subscription,
} from '../../entities/index.ts'
import { ask, collections, rows } from '../formats/representations.ts'
import { openWorld } from '../support/world.ts'
import { numbersOf } from './numbers.ts'

const { given } = await openWorld()

type Row = Record<string, unknown>

beforeAll(async () => {
  await given(BankTransaction, {
    account: rows.BankAccount as BankAccount,
    transactionOn: '2026-02-27',
    amount: '-1234.56',
  })
  await given(Invoice, {
    subscription: rows.Subscription as Subscription,
    externalId: 'in_credit',
    status: 'paid',
    currency: 'EUR',
    total: -500,
    amountDue: 0,
  })
  await given(Location, { name: '=1+1', officeOpenHour: 8, officeCloseHour: 18 })
  await given(Employee, { name: 'a "b", c\r\nd', phone: '+31 20 123' })
})

test.each(collections)('papaparse reads %s as a table with numeric cells for numbers', async (path) => {
  const { data, errors, meta } = parse<Row>((await ask(`${path}.csv?itemsPerPage=100`)).text, {
    header: true,
    dynamicTyping: true,
    skipEmptyLines: true,
  })
  const { member } = JSON.parse((await ask(`${path}?itemsPerPage=100`)).text) as { member: Row[] }
  expect(errors).toEqual([])
  expect(data.map((row) => row['@id'])).toEqual(member.map((node) => node['@id']))
  expect(meta.fields).toEqual(expect.arrayContaining(Object.keys(member[0])))
  for (const name of numbersOf(member[0]['@type'] as string))
    expect([name, data.map((row) => row[name])]).toEqual([
      name,
      member.map((node) => (typeof node[name] === 'string' ? Number(node[name]) : (node[name] ?? null))),
    ])
})

test('papaparse reads negative amounts, telephone numbers and texts of several lines unchanged', async () => {
  const table = async (path: string) =>
    parse<Row>((await ask(path)).text, { header: true, dynamicTyping: true, skipEmptyLines: true }).data
  expect((await table('/bank-transactions.csv')).map(({ amount }) => amount)).toContain(-1234.56)
  expect((await table('/invoices.csv')).map(({ total }) => total)).toContain(-500)
  expect(await table('/employees.csv')).toContainEqual(
    expect.objectContaining({ name: 'a "b", c\r\nd', phone: '+31 20 123' }),
  )
  expect((await table('/locations.csv')).map(({ name }) => name)).toContain("'=1+1")
})
