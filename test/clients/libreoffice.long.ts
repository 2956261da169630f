import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { XMLParser } from 'fast-xml-parser'
import { type BankAccount, BankTransaction, Employee, Location } from '../../entities/index.ts'
import { ask, collections, rows } from '../formats/representations.ts'
import { openWorld } from '../support/world.ts'
import { numbersOf } from './numbers.ts'

const { given } = await openWorld()

const program = [process.env.SOFFICE ?? '', '/usr/bin/soffice', '/usr/bin/libreoffice'].find((path) => existsSync(path))
const describeThere = program ? describe : describe.skip
const why = program ? '' : ' (skipped: install libreoffice-calc-nogui, or say in SOFFICE where it is)'
if (why) console.warn(`CSV is not opened in LibreOffice${why}.`)

/** The import filter: comma, double quote, UTF-8, from the first line, numbers in American English. */
const filter = '--infilter=CSV:44,34,76,1,,1033,false,true'
const folder = await mkdtemp(join(tmpdir(), 'libreoffice-'))
const xml = new XMLParser({
  ignoreAttributes: false,
  parseTagValue: false,
  isArray: (name) => /(row|cell|:p)$/.test(name),
})

afterAll(() => rm(folder, { recursive: true }))

/** A cell of the file: its type, its value, its text, and its formula if it has one. */
interface Cell {
  type?: string
  value?: number
  text: string
  formula?: string
}

describeThere(`LibreOffice${why}`, () => {
  const sheets = new Map<string, Cell[][]>()

  beforeAll(async () => {
    for (const amount of ['-1234.56', '0.10'])
      await given(BankTransaction, { account: rows.BankAccount as BankAccount, transactionOn: '2026-02-27', amount })
    await given(Location, { name: '=1+1', officeOpenHour: 8, officeCloseHour: 18 })
    await given(Employee, { name: 'a "b", ſ', phone: '+31 20 123' })
    const files = collections.map((path) => join(folder, `${path.slice(1)}.csv`))
    for (const [index, path] of collections.entries())
      await writeFile(files[index], (await ask(`${path}.csv?itemsPerPage=100`)).text)
    const profile = `-env:UserInstallation=file://${folder}/profile`
    const options = ['--headless', '--norestore', profile, filter, '--convert-to', 'fods', '--outdir', folder]
    await promisify(execFile)(program as string, [...options, ...files], { timeout: 110_000 })
    for (const path of collections) sheets.set(path, await sheetIn(join(folder, `${path.slice(1)}.fods`)))
  }, 120_000)

  test.each(collections)('opens %s with numeric cells for numbers', async (path) => {
    const { member } = JSON.parse((await ask(`${path}?itemsPerPage=100`)).text)
    const [header, ...cells] = sheets.get(path) as Cell[][]
    const column = (name: string) => cells.map((row) => row[header.findIndex(({ text }) => text === name)])
    expect(column('@id').map(({ text }) => text)).toEqual(member.map((node: object) => node['@id' as never]))
    for (const name of numbersOf(member[0]['@type']))
      expect([name, column(name).map((cell) => [cell?.type, cell?.value])]).toEqual([
        name,
        member.map(({ [name]: value }: Record<string, unknown>) =>
          value === null || value === undefined ? [undefined, undefined] : ['float', Number(value)],
        ),
      ])
    expect(cells.flat().filter(({ formula }) => formula)).toEqual([])
  })

  test('reads amounts as numbers, and telephone numbers and formulas as text', () => {
    const all = (path: string) => (sheets.get(path) as Cell[][]).flat()
    expect(all('/bank-transactions')).toContainEqual(expect.objectContaining({ type: 'float', value: -1234.56 }))
    expect(all('/employees')).toContainEqual({ type: 'string', text: '+31 20 123' })
    expect(all('/employees')).toContainEqual({ type: 'string', text: 'a "b", ſ' })
    expect(all('/locations')).toContainEqual({ type: 'string', text: "'=1+1" })
  })
})

/** The cells of the only sheet of a flat OpenDocument file; a repeated cell is written out. */
async function sheetIn(path: string): Promise<Cell[][]> {
  const document = xml.parse(await readFile(path, 'utf8'))
  const table = document['office:document']['office:body']['office:spreadsheet']['table:table']
  const lines = table['table:table-row'] as Record<string, Record<string, string>[]>[]
  const sheet = lines.map((line) => (line['table:table-cell'] ?? []).flatMap(cellsOf))
  return sheet.filter((line) => line.some(({ text }) => text !== ''))
}

function cellsOf(cell: Record<string, unknown>): Cell[] {
  const repeated = Math.min(Number(cell['@_table:number-columns-repeated'] ?? 1), 100)
  const type = cell['@_office:value-type'] as string | undefined
  const paragraphs = (cell['text:p'] ?? []) as unknown[]
  const read: Cell = {
    ...(type && { type }),
    ...(type === 'float' && { value: Number(cell['@_office:value']) }),
    text: paragraphs.map((paragraph) => (typeof paragraph === 'string' ? paragraph : '')).join('\n'),
    ...(cell['@_table:formula'] !== undefined && { formula: `${cell['@_table:formula']}` }),
  }
  return Array(repeated).fill(read)
}
