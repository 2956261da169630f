import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'cheerio'
import { Location } from '../../../entities/index.ts'
import { Browser } from '../../support/browser.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/processes/free-port.ts'
import { serverEnvironment } from '../../support/processes/server-environment.ts'
import { openWorld } from '../../support/world.ts'
import { newFiles, newLines } from './room-files.ts'

const { given, tenant, tokenOf } = await openWorld()

let directory: string
let stop: () => Promise<void>
let browser: Browser
let office: Location

/** A copy of the sources with the guide's `Room`, in which no file of the explorer differs. */
async function copySources(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'room-'))
  for (const path of ['src', 'entities', 'contexts', 'ormconfig.ts', 'package.json', 'tsconfig.json'])
    await cp(path, join(copy, path), { recursive: true })
  for (const path of ['node_modules', 'dist']) await symlink(join(process.cwd(), path), join(copy, path))
  for (const [path, text] of Object.entries(newFiles)) await writeFile(join(copy, path), text)
  for (const [path, before, line] of newLines) {
    const text = await readFile(join(copy, path), 'utf8')
    if (before !== '' && text.split(before).length !== 2)
      throw new Error(
        `${path} does not have the text "${before.trim()}" once: correct test/explorer/room/room-files.ts.`,
      )
    await writeFile(join(copy, path), before === '' ? line + text : text.replace(before, () => before + line))
  }
  return copy
}

beforeAll(async () => {
  office = await given(Location, { name: 'Amsterdam' })
  await given(Location, { name: 'Utrecht' })
  directory = await copySources()
  const port = await freePort()
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/server.ts'], {
    cwd: directory,
    env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', PORT: String(port), ...serverEnvironment('room') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text
    })
  const ended = once(child, 'exit')
  stop = async () => {
    child.kill()
    await ended
  }
  const publicUrl = `http://127.0.0.1:${port}`
  const isReady = async () => {
    if (child.exitCode !== null) return
    expect((await fetch(`${publicUrl}/health/ready`)).status).toBe(200)
  }
  await eventually(isReady, undefined, 110)
  if (child.exitCode !== null) throw new Error(`The server with rooms does not start:\n${output}`)
  browser = new Browser(publicUrl)
  await browser.signIn(await tokenOf(tenant.users.owner))
}, 120_000)

afterAll(async () => {
  await stop?.()
  await rm(directory, { recursive: true, force: true })
})

const open = async (path: string) => load((await browser.open(path).expect(200)).text)

/** Fills in the form of a page, and sends it. */
async function fill(path: string, values: Record<string, string>) {
  const $ = await open(path)
  const form = $('form.operation')
  const fields = form.serializeArray().filter(({ name }) => !(name in values))
  const sent = [...fields.map(({ name, value }): [string, string] => [name, value]), ...Object.entries(values)]
  return browser.submit(form.attr('action') as string, sent)
}

test('a resource that the guide adds has a table, filters, forms and a reference, with no line in src/explorer', async () => {
  expect([...Object.keys(newFiles), ...newLines.map(([path]) => path)].join()).not.toContain('src/explorer')

  const start = await open('/')
  expect(start('dl.index a[href="/rooms"]').text()).toBe('Rooms')
  const empty = await open('/rooms')
  expect(empty('.empty').text()).toContain('There are no rows in “Rooms” yet.')

  const form = await open('/rooms?view=create')
  expect(form('label[for=field-floor]').text()).toContain('Floor')
  expect(form('#field-floor').attr()).toMatchObject({ type: 'number', min: '-10', max: '200' })
  expect(form('#field-name').attr()).toMatchObject({ required: '', maxlength: '255' })
  expect(
    form('#field-location option')
      .map((_, one) => form(one).text())
      .get(),
  ).toEqual(['none', 'Amsterdam', 'Utrecht'])
  const refused = await fill('/rooms?view=create', { name: 'Rembrandt', floor: '900' })
  expect([refused.status, load(refused.text)('#field-floor').attr('aria-invalid')]).toEqual([422, 'true'])
  const created = await fill('/rooms?view=create', {
    ...{ name: 'Rembrandt', floor: '2', location: `/locations/${office.id}` },
  })
  expect(created.status).toBe(303)

  const item = await open(created.headers.location)
  expect(item('h1').text()).toBe('Rembrandt')
  expect(item('nav.breadcrumbs').text()).toBe('StartRoomsRembrandt')
  expect(item(`dd a[href="/locations/${office.id}"]`).text()).toBe('Amsterdam')
  const edited = await fill(`${created.headers.location}?view=update`, { floor: '3' })
  expect([edited.status, (await open(edited.headers.location))('.properties').text()]).toEqual([
    303,
    expect.stringContaining('Floor'),
  ])

  const filtered = await open('/rooms?view=filters')
  expect(filtered('form.filters select[name=location] option').length).toBe(3)
  for (const [query, rows] of [
    ['floor[gte]=3', 1],
    ['floor[gte]=4', 0],
    ['q=rembr', 1],
    [`location=/locations/${office.id}`, 1],
  ] as const)
    expect((await open(`/rooms?${query}`))('tbody tr').length).toBe(rows)
  const dutch = await open('/rooms?lang=nl&order[name]=desc')
  expect([dutch('h1').text(), dutch('th[aria-sort=descending] a').text()]).toEqual(['Kamers', 'Naam'])

  const related = await open(`/locations/${office.id}`)
  expect(related('#related ~ ul a[href^="/rooms?location="]').text()).toBe('Rooms by Location')
  expect((await open('/docs/reference'))('[id="Room"]').length).toBe(1)
}, 60_000)
