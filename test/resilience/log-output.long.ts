import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/processes/free-port.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { openWorld } from '../support/world.ts'

const { ending } = await openWorld()

/** A server whose standard output the test reads by itself. */
async function serverWith(environment: Record<string, string> = {}) {
  const port = await freePort()
  const child = spawn(process.execPath, ['dist/bundle/server.js'], {
    env: { PATH: process.env.PATH, ...serverEnvironment('log'), PORT: String(port), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  ending.unshift(async () => {
    child.kill('SIGKILL')
  })
  const url = `http://127.0.0.1:${port}/countries`
  await eventually(
    () => fetch(url).then(({ status }) => status),
    (status) => expect(status).toBe(200),
    50,
  )
  return { child, url }
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })
ending.unshift(async () => agent.destroy())

/** The log has words of a path, so a long path makes a long line. */
const longPath = `/${'word/'.repeat(600)}`

/** Sends requests over 16 connections. @returns their ids */
async function sendMany(url: string, count: number, prefix: string): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
  await Promise.all(
    ids.map(async (id) => {
      const sent = request(url, { agent, headers: { 'X-Request-Id': id } }).end()
      const [response] = await once(sent, 'response')
      response.resume()
      await once(response, 'end')
    }),
  )
  return ids
}

async function terminate(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await gone).toEqual([0, null])
}

const idsIn = (output: string, prefix: string): string[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line).request as string)
    .filter((id) => id?.startsWith(prefix))

/** The resident size of a process in megabytes. */
const megabytesOf = ({ pid }: ChildProcess) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

test.each(['1', '2'])('with WORKERS=%s each request before SIGTERM has exactly one line', async (WORKERS) => {
  const { child, url } = await serverWith({ WORKERS })
  const output = text(child.stdout)
  const ids = await sendMany(url, 500, 'all')
  await terminate(child)
  expect(idsIn(await output, 'all').toSorted()).toEqual(ids.toSorted())
})

describe('A server whose reader', () => {
  let server: Awaited<ReturnType<typeof serverWith>>
  let output = ''
  beforeAll(async () => {
    server = await serverWith()
    server.child.stdout.on('data', (piece) => {
      output += piece
    })
  }, 60_000)

  test('waits has a line within a second, though no other follows', async () => {
    await sendMany(server.url, 1, 'lone')
    await eventually(
      () => idsIn(output, 'lone'),
      (ids) => expect(ids).toEqual(['lone-0']),
      1,
    )
  })

  test('stops for a while answers meanwhile, and then says how many lines found no room', async () => {
    const { child, url } = server
    // A paused stream is not read, so the pipe is soon full.
    child.stdout.pause()
    const before = megabytesOf(child)
    await sendMany(url + longPath, 1000, 'early')
    expect(megabytesOf(child) - before).toBeLessThan(80)
    child.stdout.resume()
    await eventually(
      () => output,
      (lines) => expect(lines).toContain('dropped log lines'),
    )
    await sendMany(url, 10, 'late')
    await eventually(
      () => idsIn(output, 'late'),
      (ids) => expect(ids).toHaveLength(10),
    )
    const kept = idsIn(output, 'early')
    expect(new Set(kept).size).toBe(kept.length)
    expect(kept.length).toBeGreaterThan(300)
    const reports = output.split('\n').filter((line) => line.includes('dropped log lines'))
    const dropped = reports.reduce((sum, line) => sum + JSON.parse(line).lines, 0)
    expect(kept.length + dropped).toBe(1000)
  })

  test('is gone goes on answering, and stops cleanly', async () => {
    const { child, url } = server
    child.stdout.destroy()
    const before = megabytesOf(child)
    await sendMany(url + longPath, 1000, 'closed')
    expect(megabytesOf(child) - before).toBeLessThan(80)
    await sendMany(url, 1, 'last')
    await terminate(child)
  })
})

test.each([
  ['an uncaught exception', "setTimeout(() => { throw new Error('boom') })", 1],
  ['an unhandled rejection', "Promise.reject(new Error('boom'))", 1],
  ['process.exit', 'process.exit(3)', 3],
  ['SIGKILL a moment later', "setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200)", null],
])('a process that ends by %s writes its last lines', async (_, end, code) => {
  const script = `
    import { pino } from 'pino'
    import { standardOutput } from './dist/src/runtime/output.js'
    const log = pino({ base: undefined }, standardOutput())
    for (let index = 0; index < 1000; index++) log.info({ request: 'last-' + index }, 'answered')
    ${end}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  const gone = once(child, 'exit')
  expect(idsIn(await text(child.stdout), 'last')).toHaveLength(1000)
  expect((await gone)[0]).toBe(code)
})
