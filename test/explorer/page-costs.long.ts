import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Employee, Location, Meeting } from '../../entities/index.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'
import { open } from './browser.ts'

const { given, publicUrl, tenant, tokenOf } = await openWorld()
const rows = await rowsOf(tenant)

/** The client is a process of its own, so that the CPU time of this process is that of the server alone. */
const client = `
import { Agent, get } from 'node:http'
import { createInterface } from 'node:readline'
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
for await (const line of createInterface({ input: process.stdin })) {
  const { url, headers, count } = JSON.parse(line)
  const statuses = new Set()
  for (let n = 0; n < count; n++)
    await new Promise((resolve, reject) => {
      get(url, { agent, headers }, (response) => {
        statuses.add(response.statusCode)
        response.resume().once('end', resolve)
      }).once('error', reject)
    })
  console.log(JSON.stringify([...statuses]))
}`

const sender = spawn(process.execPath, ['--input-type=module', '-e', client], { stdio: ['pipe', 'pipe', 'inherit'] })
const answers = createInterface({ input: sender.stdout })

afterAll(async () => {
  sender.stdin.end()
  await once(sender, 'exit')
})

/** The CPU time of the server for requests of an address, in microseconds a request. */
async function costOf(path: string, accept: string, count: number): Promise<number> {
  const headers = { accept, authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
  const before = process.cpuUsage()
  const answer = once(answers, 'line')
  sender.stdin.write(`${JSON.stringify({ url: publicUrl + path, headers, count })}\n`)
  expect(JSON.parse((await answer)[0])).toEqual([200])
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

const [rounds, requests, attempts] = [25, 6, 3]

/**
 * The least cost of a page, as a multiple of that of its JSON. Rounds that other processes disturb are dearer, so the least ones
 * count; the rounds take turns. A machine that is busy all the time gets further attempts.
 */
async function ratioOf(page: string, document: string, goal = 3): Promise<number> {
  const kinds = [
    { path: page, accept: 'text/html', least: Number.POSITIVE_INFINITY },
    { path: document, accept: 'application/json', least: Number.POSITIVE_INFINITY },
  ]
  for (const { path, accept } of kinds) await costOf(path, accept, 100)
  let ratio = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < attempts && ratio > goal; attempt++) {
    for (let round = 0; round < rounds; round++)
      for (const kind of kinds) kind.least = Math.min(kind.least, await costOf(kind.path, kind.accept, requests))
    ratio = kinds[0].least / kinds[1].least
  }
  return ratio
}

const item = `/meetings/${rows.Meeting.id}`
const location = `/locations/${rows.Location.id}`

beforeAll(async () => {
  for (let hour = 0; hour < 60; hour++) {
    const dateFrom = new Date(Date.UTC(2026, 2, 23, 2 * hour))
    const employee = hour % 6 === 0 && (await given(Employee, { name: `Worker ${hour}` }))
    await given(Meeting, {
      ...{ dateFrom, dateTo: new Date(+dateFrom + 5_400_000), notes: `Visit ${hour}` },
      ...(employee && { employee }),
    })
  }
  for (let n = 0; n < 8; n++) await given(Location, { name: `Office ${n}` })
}, 60_000)

test.each([
  ['a table', '/meetings', '/meetings'],
  ['a table without references', '/locations', '/locations'],
  ['an item', item, item],
  ['a form', `${location}?view=update`, location],
  ['a form with choices', `${item}?view=update`, item],
])(
  'the page of %s takes at most three times the CPU time of its JSON',
  async (_, page, document) => {
    expect(await ratioOf(page, document)).toBeLessThanOrEqual(3)
  },
  120_000,
)

test('a calendar of sixty rows takes at most three and a half times the CPU time of its JSON', async () => {
  const { headers } = await open('/meetings?view=week&dateTo[strictly_after]=2026-03-24')
  const path = headers.location as string
  expect(await ratioOf(path, path.replace(/&view=week/, ''), 3.5)).toBeLessThanOrEqual(3.5)
}, 120_000)
