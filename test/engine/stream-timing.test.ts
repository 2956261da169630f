import { PassThrough } from 'node:stream'
import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { EventStream } from '../../src/hydra/http/streams/event-stream.ts'
import { type Caller, Problem } from '../../src/hydra/index.ts'
import { changeNotifier } from '../../src/runtime/change-notifications.ts'

/* The clock of a stream runs for half a minute, so these tests move it themselves. */

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }))

afterEach(() => mock.timers.reset())

/** Moves the clock in steps, so that what waits for a timer goes on before the next one. */
async function pass(milliseconds: number): Promise<void> {
  const step = 1000
  for (let left = milliseconds; left > 0; left -= step) {
    mock.timers.tick(Math.min(left, step))
    await turn()
  }
}

const position = { seconds: 1, origin: '1.00000001', snapshot: '1:1:' }
const caller: Caller = { role: 'member', user: null, tenant: 'acme' }

function begin(authorize = async () => caller) {
  const response = new PassThrough()
  const stream = new EventStream({ response: response as never, topics: () => true, authorize })
  stream.start(position)
  const sent = () => {
    const pieces: string[] = []
    for (let piece = response.read(); piece !== null; piece = response.read()) pieces.push(String(piece))
    return pieces.join('')
  }
  return { response, stream, sent }
}

test('a stream without events has its rights checked every 30 seconds, and ends with a pause once they are gone', async () => {
  let isAllowed = true
  let checks = 0
  const { stream, sent } = begin(async () => {
    checks++
    if (!isAllowed) throw new Problem(401, 'The token has expired.')
    return caller
  })
  await pass(30_000)
  expect([checks, stream.ended]).toEqual([1, false])
  isAllowed = false
  await pass(30_000)
  expect([checks, stream.ended]).toEqual([2, true])
  expect(sent()).toMatch(/retry: \d{4}\n\n$/)
})

test('a silent stream sends a comment and its position every 20 seconds', async () => {
  const { sent } = begin()
  expect(sent()).toBe('id: 1-1.00000001-1:1:\n\n')
  await pass(20_000)
  expect(sent()).toBe(':\nid: 1-1.00000001-1:1:\n\n')
})

test('many writes of a process make one notification at once and one after 100 ms, with nothing in it', async () => {
  const sent: string[] = []
  const master = { query: async (text: string) => void sent.push(text) }
  const notify = changeNotifier({ driver: { master } } as never)
  for (let count = 0; count < 50; count++) notify()
  expect(sent).toEqual(['NOTIFY "change"'])
  await pass(99)
  expect(sent).toHaveLength(1)
  await pass(1000)
  expect(sent).toEqual(Array(2).fill('NOTIFY "change"'))
})
