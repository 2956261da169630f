import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Employee, Location, Meeting } from '../../entities/index.ts'
import { Browser } from '../support/browser.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { given, tenant, tokenOf } = await openWorld()
const rows = await rowsOf(tenant)

/** The server as `npm start` runs it: its bundle writes JSON faster than the sources do, so it is the measure of a page. */
const server = new ServerProcess(serverEnvironment('page-costs'))
await server.start()
const publicUrl = `http://127.0.0.1:${server.port}`
const browser = new Browser(publicUrl)
await browser.signIn(await tokenOf(tenant.users.owner))

/** The client is a process of its own, so that this process takes no turns of the server's processor. */
const client = `
import { Agent, get } from 'node:http'
import { createInterface } from 'node:readline'
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
for await (const line of createInterface({ input: process.stdin })) {
  const { url, headers, count } = JSON.parse(line)
  const statuses = new Set()
  const start = performance.now()
  for (let n = 0; n < count; n++)
    await new Promise((resolve, reject) => {
      get(url, { agent, headers }, (response) => {
        statuses.add(response.statusCode)
        response.resume().once('end', resolve)
      }).once('error', reject)
    })
  console.log(JSON.stringify({ statuses: [...statuses], time: (performance.now() - start) / count }))
}`

const sender = spawn(process.execPath, ['--input-type=module', '-e', client], { stdio: ['pipe', 'pipe', 'inherit'] })
const answers = createInterface({ input: sender.stdout })

afterAll(async () => {
  sender.stdin.end()
  await once(sender, 'exit')
  await server.close()
})

/** The CPU time of all threads of the server, in milliseconds. */
function cpuTime(): number {
  const threads = readdirSync(`/proc/${server.pid}/task`)
  const times = threads.map((id) =>
    Number(readFileSync(`/proc/${server.pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
  )
  return times.reduce((sum, time) => sum + time, 0) / 1e6
}

/** A request, with the credentials of its caller: forms need the session of a browser. */
interface Asked {
  path: string
  accept: string
  credentials: Record<string, string>
}

/** The cost of a response in milliseconds: until its client has it, and of the server's processor. */
interface Cost {
  time: number
  cpu: number
}

/** The mean cost of responses, one after the other. */
async function costOf({ path, accept, credentials }: Asked, count: number): Promise<Cost> {
  const before = cpuTime()
  const answer = once(answers, 'line')
  sender.stdin.write(`${JSON.stringify({ url: publicUrl + path, headers: { accept, ...credentials }, count })}\n`)
  const { statuses, time } = JSON.parse((await answer)[0])
  expect(statuses).toEqual([200])
  return { time, cpu: (cpuTime() - before) / count }
}

const [rounds, requests, attempts] = [25, 6, 3]
const most = 3

const figures: string[] = []
afterAll(() => console.log(['A page as a multiple of its JSON: time, CPU time', ...figures].join('\n')))

/**
 * The least time of a page, as a multiple of that of its JSON. Rounds that other processes disturb take longer, so the least ones
 * count; the rounds take turns. A machine that is busy all the time gets further attempts.
 */
async function ratioOf(page: string, document: string, credentials: Record<string, string>): Promise<number> {
  const kinds = [
    { path: page, accept: 'text/html', credentials, costs: [] as Cost[] },
    { path: document, accept: 'application/json', credentials, costs: [] as Cost[] },
  ]
  for (const kind of kinds) await costOf(kind, 200)
  const ratio = (by: keyof Cost) => {
    const [first, second] = kinds.map(({ costs }) => Math.min(...costs.map((cost) => cost[by])))
    return first / second
  }
  for (let attempt = 0; attempt < attempts && !(ratio('time') <= most); attempt++)
    for (let round = 0; round < rounds; round++) for (const kind of kinds) kind.costs.push(await costOf(kind, requests))
  figures.push(`${ratio('time').toFixed(2)} ${ratio('cpu').toFixed(2)}  ${page}`)
  return ratio('time')
}

const asProgram = async () => ({ authorization: `Bearer ${await tokenOf(tenant.users.owner)}` })
const asPerson = { cookie: [...browser.cookies].map((pair) => pair.join('=')).join('; ') }

const item = `/meetings/${rows.Meeting.id}`
const employee = `/employees/${rows.Employee.id}`
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

test.each(['/meetings', '/employees', '/locations', '/organization-users', item, employee])(
  'the page %s takes at most three times the time of its JSON',
  async (path) => {
    expect(await ratioOf(path, path, await asProgram())).toBeLessThanOrEqual(most)
  },
  120_000,
)

test.each([
  ['an edit', `${location}?view=update`, location],
  ['an edit with choices', `${item}?view=update`, item],
  ['a new item', '/meetings?view=create', '/meetings'],
])(
  'the form of %s takes at most three times the time of the JSON of the page that offers it',
  async (_, page, document) => {
    expect((await browser.open(page)).text).toContain('<form method="post"')
    expect(await ratioOf(page, document, asPerson)).toBeLessThanOrEqual(most)
  },
  120_000,
)

test('a calendar of sixty rows takes at most three times the time of its JSON', async () => {
  const { headers } = await browser.open('/meetings?view=week&dateTo[strictly_after]=2026-03-24').expect(302)
  const path = headers.location
  expect(await ratioOf(path, path.replace(/&view=week/, ''), await asProgram())).toBeLessThanOrEqual(most)
}, 120_000)
