import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Meeting } from '../../entities/index.ts'
import { type Ask, attackedServer, type Course, waitsUnder } from '../support/requests/attack-load.ts'
import type { Answer } from '../support/requests/raw-responses.ts'
import { crowd } from '../support/rows/bulk-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { database, foundTenant, given, stripe } = await openWorld()

/** A busy machine delays one run; a fault delays every run. */
import.meta.jest.retryTimes(2, { logErrorsBeforeRetry: true })

/*
 * The slow statements of one tenant can starve others in items and writes that wait for a lock.
 * They can also starve others in transactions, totals, sub-collections, replicas and the lookup of memberships.
 * They can also starve images, webhooks, health checks and metrics.
 */

/** Milliseconds that no request of one caller may add to another tenant's plain item. */
const most = 250

/** Words that no meeting has, made of letters that many have. */
const words = Array.from({ length: 100 }, (_, number) => `q[]=${String.fromCharCode(97 + (number % 26))}~a`)

const crowded = await foundTenant('Crowded', 'crowded')
const people = Object.values(crowded.users)
const user = crowded.users.owner
await crowd(crowded.organization.id, 100_000, ['meeting'])
const held = await given(Meeting, { ...morning, organizationId: crowded.organization.id })

const expectUnnoticed = ({ calm, attacked }: Course) => {
  expect(attacked.count).toBeGreaterThan(5)
  expect(attacked.max).toBeLessThanOrEqual(calm.max + most)
}

const tally = (answers: Answer[]) => answers.map(({ status }) => status)

/** Holds a lock in a session of its own while work is done. */
async function locked<T>(sql: string, work: () => Promise<T>): Promise<T> {
  const runner = database.createQueryRunner()
  await runner.startTransaction()
  try {
    await runner.query('SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = 0')
    await runner.query(sql)
    return await work()
  } finally {
    await runner.rollbackTransaction()
    await runner.release()
  }
}

describe.each([2])('With WORKERS=%i', (workers) => {
  const service = attackedServer(workers)
  beforeAll(() => service.start(), 60_000)

  test('lists of a hundred costly words make no other tenant wait', async () => {
    const path = `/meetings?${words.join('&')}`
    const answers: Answer[] = []
    const storm = async (ask: Ask) => {
      const one = async (_: unknown, n: number) => void answers.push(await ask({ user: people[n % 3], path }))
      for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 70 }, one))
    }
    expectUnnoticed(await waitsUnder(service, workers, storm))
    expect(new Set(tally(answers))).toEqual(new Set([400]))
  })

  test('the costliest lists within the limits make no other tenant wait', async () => {
    const dates = Array.from(
      { length: 50 },
      (_, n) => `dateFrom[after]=20${50 + n}-01-01&dateTo[before]=20${10 + n}-01-01`,
    )
    const paths = [
      `/meetings?${words.slice(0, 5).join('&')}&${words.slice(5, 10).join('&').replaceAll('q[]', 'notes')}`,
      `/meetings?${dates.join('&')}&order[dateTo]=desc&order[dateFrom]=asc`,
      '/meetings?q=onderhoud&order[dateTo]=asc&page=900',
      '/meetings?page=999999999',
      '/meetings.csv?itemsPerPage=100&exists[time]=false&page=900',
    ]
    const answers: Answer[] = []
    const storm = async (ask: Ask) => {
      for (let round = 0; round < 3; round++)
        await Promise.all(
          Array.from({ length: 60 }, async (_, n) =>
            answers.push(await ask({ user: people[n % 3], path: paths[n % paths.length] })),
          ),
        )
    }
    expectUnnoticed(await waitsUnder(service, workers, storm))
    for (const { status, headers } of answers) {
      expect([200, 400, 429, 503, 0]).toContain(status)
      if (status === 429 || status === 503) expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    }
  })

  test.each([
    ['a table', 'LOCK TABLE "meeting" IN ACCESS EXCLUSIVE MODE'],
    ['a row', `SELECT 1 FROM "meeting" WHERE "id" = '${held.id}' FOR UPDATE`],
  ])('requests that wait for %s leave connections for others', async (_, sql) => {
    const headers = { 'Content-Type': 'application/merge-patch+json' }
    const answers: Answer[] = []
    const storm = async (ask: Ask) => {
      // A PATCH that changes nothing waits for nothing.
      const patch = (notes: string) =>
        ask({ user, path: `/meetings/${held.id}`, method: 'PATCH', headers, body: JSON.stringify({ notes }) })
      answers.push(...(await Promise.all(Array.from({ length: 30 }, (_, n) => patch(`${workers} ${sql} ${n}`)))))
    }
    expectUnnoticed(await locked(sql, () => waitsUnder(service, workers, storm)))
    for (const answer of answers.filter(({ status }) => status >= 300)) {
      expect([answer.status, answer.text]).toEqual([
        503,
        expect.stringMatching(/another transaction holds|no connection became free|did not answer within 2 seconds/),
      ])
      expect(answer.headers['retry-after']).toMatch(/^\d+$/)
    }
    expect(tally(answers)).toContain(503)
  })

  test('events of Stripe are acknowledged while requests of a tenant wait for a table', async () => {
    const at = Math.floor(Date.now() / 1000)
    let number = 0
    const event = () => {
      const id = `evt_${workers}_${at}_${number++}`
      const body = JSON.stringify({
        id,
        object: 'event',
        livemode: false,
        type: 'invoice.paid',
        created: at,
        data: { object: { id: 'in_1' } },
      })
      const v1 = createHmac('sha256', stripe.webhookSecret).update(`${at}.${body}`).digest('hex')
      const headers = { 'Stripe-Signature': `t=${at},v1=${v1}` }
      return { user: undefined, path: '/webhooks/stripe', method: 'POST', headers, body }
    }
    const storm = (ask: Ask) =>
      Promise.all(Array.from({ length: 30 }, () => ask({ user: people[1], path: `/meetings/${held.id}` })))
    const acknowledged: Answer[] = []
    const both = async (ask: Ask) => {
      const waiting = storm(ask)
      for (let count = 0; count < 20; count++) {
        const began = performance.now()
        acknowledged.push(await ask(event()))
        expect(performance.now() - began).toBeLessThan(1000)
        await sleep(50)
      }
      await waiting
    }
    expectUnnoticed(
      await locked('LOCK TABLE "meeting" IN ACCESS EXCLUSIVE MODE', () => waitsUnder(service, workers, both)),
    )
    expect(new Set(tally(acknowledged))).toEqual(new Set([200]))
  })

  test('a tenant with more lists than its share and its queue hold is refused alone, and told what to do', async () => {
    const answers: Answer[] = []
    const storm = async (ask: Ask) => {
      const path = '/meetings?order[dateTo]=asc'
      const many = Array.from({ length: 60 }, (_, n) => ask({ user: people[n % 2], path }))
      answers.push(...(await Promise.all(many)))
    }
    expectUnnoticed(
      await locked('LOCK TABLE "meeting" IN ACCESS EXCLUSIVE MODE', () => waitsUnder(service, workers, storm)),
    )
    // The 60 come over connections to all processes, so with two of them neither may be asked for too many.
    for (const { status, text, headers } of answers) {
      expect([status, text]).toEqual(
        status === 429
          ? [429, expect.stringContaining('32 of your requests already wait for lists')]
          : [503, expect.any(String)],
      )
      expect(headers['retry-after']).toMatch(/^\d+$/)
    }
    if (workers === 1) expect(tally(answers)).toContain(429)
  })
})
