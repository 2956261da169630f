import { pino } from 'pino'
import { User } from '../../entities/index.ts'
import { backgroundSource } from '../../ormconfig.ts'
import { enqueueMail } from '../../src/mail/outbox.ts'
import { enqueue } from '../../src/queue/enqueue.ts'
import { jobTasks } from '../../src/runtime/jobs.ts'
import { deliver } from '../support/billing/stripe-events.ts'
import { customerEvent } from '../support/billing/sync-now.ts'
import { openWorld } from '../support/world.ts'

const { as, database, ending, organization, outside } = await openWorld()

/** A job waits for a lock a tenth as long as in a server. */
const impatient = backgroundSource(database, 2)
impatient.setOptions({ extra: { ...impatient.options.extra, lock_timeout: 200 } })
await impatient.initialize()
ending.unshift(() => impatient.destroy())
const jobs = jobTasks(impatient, outside, pino({ level: 'silent' })) as Record<
  string,
  (payload?: object) => Promise<void>
>

let founded = 0

/** Creates pending work of every kind that has no job. */
async function createStaleWork() {
  await database.query(`DELETE FROM "stripe_event"`)
  await database.query(`DELETE FROM "outgoing_mail"`)
  await database.query(`UPDATE "organization" SET "status" = 'active', "databaseStatus" = NULL`)
  const founder = as(Object.assign(new User(), { subject: `founder-${++founded}` }))
  const { body } = await founder.post('/organizations', { name: `Founded ${founded}` })
  for (const customer of ['cus_first', 'cus_second']) await deliver(customerEvent(customer))
  const mail = { organizationId: organization.id, recipient: 'somebody@example.com', subject: 'Hello', about: 'a test' }
  await enqueueMail(database.manager, { ...mail, html: '<p>Hello</p>', text: 'Hello', attachments: [] })
  for (const [table, moment] of [
    ['organization', 'updatedAt'],
    ['stripe_event', 'receivedAt'],
    ['outgoing_mail', 'dueAt'],
  ])
    await database.query(`UPDATE "${table}" SET "${moment}" = now() - interval '1 minute'`)
  const [{ id }] = await database.query(`SELECT "id" FROM "outgoing_mail" WHERE "status" = 'pending'`)
  const keys = ['customer:cus_first', 'customer:cus_second', `mail:${id}`, `provision:${body.id}`]
  await database.query(`DELETE FROM graphile_worker._private_jobs`)
  return keys.sort()
}

const keysOf = async () => {
  const found = await database.query(`SELECT "key" FROM graphile_worker.jobs WHERE locked_at IS NULL ORDER BY "key"`)
  return found.map(({ key }: { key: string }) => key)
}

test.each([0, 1, 2, 3])('while job %i of the stale work is locked, the others are enqueued', async (place) => {
  const keys = await createStaleWork()
  await database.transaction(async (other) => {
    await enqueue(other, 'tidy', {}, { key: keys[place] })
    await expect(jobs.takeUp()).rejects.toThrow('lock timeout')
    expect(await keysOf()).toEqual(keys.toSpliced(place, 1))
  })
  await jobs.takeUp()
  expect(await keysOf()).toEqual(keys)
})

test('the nightly reconciliation continues without a customer whose job is locked', async () => {
  await database.query(`DELETE FROM graphile_worker._private_jobs`)
  const customers = ['cus_1', 'cus_2', 'cus_3']
  await database.query(`UPDATE "organization" SET "stripeCustomerId" = NULL`)
  await database.query(
    `UPDATE "organization" SET "stripeCustomerId" = 'cus_' || n, "manualBilling" = FALSE
      FROM (SELECT "id" AS "known", row_number() OVER () AS n FROM "organization" LIMIT 3) AS "some" WHERE "id" = "known"`,
  )
  const keys = customers.map((customer) => `reconcile:${customer}`)
  await database.transaction(async (other) => {
    await enqueue(other, 'tidy', {}, { key: keys[1] })
    await expect(jobs.reconcile()).rejects.toThrow('lock timeout')
    expect((await keysOf()).filter((key: string) => customers.some((one) => key.endsWith(one)))).toEqual([
      keys[0],
      keys[2],
    ])
  })
})
