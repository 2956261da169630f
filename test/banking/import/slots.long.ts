import { Integration } from '../../../entities/index.ts'
import { startJobs } from '../../support/jobs.ts'
import { openWorld } from '../../support/world.ts'
import { enableBanking, linkBank, pull, setUpBanking, statusAndCode } from '../linked-bank.ts'

const { api, as, banking, database, foundTenant, kontomatik } = await openWorld()

let people = 0

setUpBanking()

const today = () => new Date().toISOString().slice(0, 10)

test('an import waits while Kontomatik runs too many, and ends with 503 after the limit', async () => {
  const link = await linkBank({ login: `slots${++people}` })
  kontomatik.fault({ kind: 'exception', path: 'default-import', name: 'JobsQuotaExceeded', times: 2 })
  expect((await api.post(pull, { since: today() })).status).toBe(201)
  Object.assign(banking.timing, { slotMs: 150 })
  kontomatik.fault({ kind: 'exception', path: 'reuse', name: 'ConcurrentSessionsLimitExceeded', times: 99 })
  const full = await api.post(pull, {})
  expect([...statusAndCode(full), full.headers['retry-after']]).toEqual([503, 'provider_busy', '60'])
  const [{ counted }] = await database.query(
    `SELECT count(*)::int AS counted FROM "bank_import" WHERE "account" = 'link ' || $1`,
    [link.id],
  )
  expect(counted).toBe(1)
})

test.each([8, 1])(
  'of nine imports at once in two processes, no more than %d free slots run',
  async (free) => {
    Object.assign(banking.timing, { slotMs: 20_000, requestMs: 25_000, importMs: 25_000 })
    const other = await startJobs()
    const agents = await Promise.all(
      Array.from({ length: 9 }, async (_, index) => {
        const { organization, users } = await foundTenant('Many', `many-${free}-${index}`)
        await enableBanking(organization.id)
        await linkBank({ agent: as(users.owner), login: `many-${free}-${index}` })
        return as(users.owner)
      }),
    )
    await database.query(
      `UPDATE "bank_slot" SET "integrationId" = gen_random_uuid(), "until" = now() + interval '1 hour' WHERE "slot" > $1`,
      [free],
    )
    let maxRunning = 0
    const watch = setInterval(async () => {
      const found = await database.manager.find(Integration, { where: { status: 'importing' } }).catch(() => [])
      maxRunning = Math.max(maxRunning, found.filter(({ asked, commandId }) => asked || commandId).length)
    }, 5)
    const answers = await Promise.all(agents.map((agent) => agent.post(pull, { since: today() })))
    clearInterval(watch)
    await other.stop()
    expect(answers.map(({ status }) => status)).toEqual(agents.map(() => 201))
    expect(maxRunning).toBeGreaterThan(0)
    expect(maxRunning).toBeLessThanOrEqual(free)
  },
  40_000,
)

test('without a free slot no request goes to Kontomatik', async () => {
  await linkBank({ login: `slots${++people}` })
  Object.assign(banking.timing, { slotMs: 200 })
  await database.query(
    `UPDATE "bank_slot" SET "integrationId" = gen_random_uuid(), "until" = now() + interval '1 hour'`,
  )
  const before = kontomatik.requests.length
  expect(statusAndCode(await api.post(pull, {}))).toEqual([503, 'provider_busy'])
  expect(kontomatik.requests.length).toBe(before)
})
