import { parse } from 'papaparse'
import { type BankAccount, BankTransaction, Employee, Location } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'
import { ask, rows } from './representations.ts'

const { given, publicUrl } = await openWorld()

describe('A table', () => {
  test('has a row for each member and a column for each property, and empty cells for null', async () => {
    const { text, headers } = await ask('/meetings.csv')
    const { member } = JSON.parse((await ask('/meetings')).text)
    const [header, row, ...others] = text.split('\r\n')
    expect(header.split(',')).toEqual(Object.keys(member[0]))
    expect(row.split(',')).toEqual(Object.values(member[0]).map((value) => value ?? ''))
    expect(others).toEqual([''])
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
  })

  test('has a header even without rows', async () => {
    const { text } = await ask('/locations.csv?page=999')
    expect(text.split('\r\n')).toEqual([expect.stringMatching(/^@id,@type,.*name/), ''])
  })

  test('escapes formulas, and quotes where necessary', async () => {
    const names = ['=1+1', '+1+1', '-1-1', '-', '+x', '@sum', '\t=1', 'a "b", c', 'two\nlines', 'ﬁnà'].sort()
    for (const name of names) await given(Location, { name })
    const { text } = await ask('/locations.csv?order[id]=asc')
    for (const name of ['=1+1', '+1+1', '-1-1', '-', '+x', '@sum', '\t=1']) expect(text).toContain(`,'${name},`)
    expect(text).toContain('"a ""b"", c"')
    expect(text).toContain('"two\nlines"')
    expect(text).toContain('ﬁnà')
  })

  test('writes numbers and telephone numbers unchanged', async () => {
    const numbers = ['-12.50', '+1', '-1', '-0.000001']
    for (const amount of numbers)
      await given(BankTransaction, { account: rows.BankAccount as BankAccount, transactionOn: '2026-02-27', amount })
    const { member } = JSON.parse((await ask('/bank-transactions')).text)
    const amounts = columnOf((await ask('/bank-transactions.csv')).text, 'amount')
    expect(amounts).toEqual(member.map(({ amount }: { amount: string }) => amount))
    expect(amounts).toEqual(expect.arrayContaining(['-12.50', '-0.000001']))

    const phones = ['+31 20 123', '+31-20-123-45', '+31201234567', '020 123']
    const spoiled = ['+31 20 123 ext', '+', '+ ', '+-1', '+1+2', '-1 2']
    for (const phone of [...phones, ...spoiled]) await given(Employee, { name: '+1.5', phone })
    const { text } = await ask('/employees.csv?order[id]=asc')
    expect(columnOf(text, 'phone').slice(1)).toEqual([...phones, ...spoiled.map((phone) => `'${phone}`)])
    expect(columnOf(text, 'name').slice(1)).toEqual(Array(phones.length + spoiled.length).fill('+1.5'))
  })

  test('writes a list or free-form JSON in one cell', async () => {
    const { member } = JSON.parse((await ask('/organizations')).text)
    const { text } = await ask('/organizations.csv')
    expect(text).toContain(member[0].organizationUsers.join(' '))
    expect((await ask('/subscriptions.csv')).text).toContain(',"[{""name"":""a"",""value"":""ü""}]",')
  })

  test('of selected properties has only their columns, in the order of the class, even without rows', async () => {
    for (const [query, header] of [
      ['properties[]=name', '@id,@type,name'],
      ['properties[]=officeOpenHour&properties[]=name', '@id,@type,name,officeOpenHour'],
      ['properties[0]=name&page=999', '@id,@type,name'],
    ]) {
      const [first, row] = (await ask(`/locations.csv?${query}`)).text.split('\r\n')
      expect(first).toBe(header)
      if (row) expect(row.split(',').length).toBe(header.split(',').length)
    }
    const { text } = await ask('/subscriptions.csv?properties[]=cancel')
    expect(text.split('\r\n')[0]).toBe('@id,@type,cancel')
  })

  test('has Link headers to its other pages', async () => {
    const { headers } = await ask('/locations.csv?itemsPerPage=1')
    const { view } = JSON.parse((await ask('/locations?itemsPerPage=1')).text)
    for (const relation of ['first', 'last', 'next'])
      expect(headers.link).toContain(
        `<${publicUrl}${view[relation].replace('/locations', '/locations.csv')}>; rel="${relation}"`,
      )
  })
})

function columnOf(text: string, name: string): string[] {
  return parse<Record<string, string>>(text, { header: true, skipEmptyLines: true }).data.map((row) => row[name])
}
