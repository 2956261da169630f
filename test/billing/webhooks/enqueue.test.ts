import { parseCrontab } from 'graphile-worker'
import { StripeEvent } from '../../../entities/index.ts'
import { crontab } from '../../../src/runtime/jobs.ts'
import { customerIdOf, subscribed } from '../../support/billing/stripe.ts'
import { deliver } from '../../support/billing/stripe-events.ts'
import { customerEvent } from '../../support/billing/sync-now.ts'
import { jobs } from '../../support/jobs.ts'
import { openWorld } from '../../support/world.ts'

const { database, stripe } = await openWorld()

test('an event whose job cannot be enqueued is not stored, so that Stripe delivers it again', async () => {
  const event = customerEvent(await customerIdOf(await subscribed()))
  await database.query(`CREATE FUNCTION "full"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full'; END $$`)
  await database.query(
    `CREATE TRIGGER "full" BEFORE INSERT ON graphile_worker._private_jobs FOR EACH ROW EXECUTE FUNCTION "full"()`,
  )
  const refused = await deliver(event)
  await database.query(`DROP FUNCTION "full" CASCADE`)
  expect(refused.status).toBeGreaterThanOrEqual(500)
  expect(await database.manager.countBy(StripeEvent, { id: event.id })).toBe(0)
  expect((await deliver(event)).status).toBe(200)
  expect(await database.manager.countBy(StripeEvent, { id: event.id })).toBe(1)
})

test('a job sends each request once, because it locks the customer: the job is retried, not the request', async () => {
  const customer = await customerIdOf(await subscribed())
  const since = stripe.requests.length
  stripe.fault({ kind: 'status', status: 500, path: '/v1/subscriptions', times: 5 })
  await jobs.followCustomer({ customer })
  stripe.clearFaults()
  const asked = stripe.requests.slice(since).filter(({ path }) => path === '/v1/subscriptions')
  expect(asked.map(({ status }) => status)).toEqual([500])
})

test('an event that was applied is deleted after 30 days, and one that has failed stays', async () => {
  const customer = await customerIdOf(await subscribed())
  const given = async (status: StripeEvent['status'], days: number) => {
    const event = customerEvent(customer)
    await deliver(event)
    const values = { status, receivedAt: new Date(Date.now() - days * 86_400_000) }
    await database.manager.update(StripeEvent, { id: event.id }, values)
    return event.id
  }
  const gone = [await given('done', 31), await given('ignored', 31)]
  const kept = [await given('done', 29), await given('failed', 31), await given('pending', 31)]
  await jobs.forgetEvents()
  for (const id of gone) expect(await database.manager.existsBy(StripeEvent, { id })).toBe(false)
  for (const id of kept) expect(await database.manager.existsBy(StripeEvent, { id })).toBe(true)
})

test('every entry of the crontab names an existing job', () => {
  const items = parseCrontab(crontab)
  expect(items.map(({ task }) => task)).toContain('reconcile')
  for (const { task } of items) expect(Object.keys(jobs)).toContain(task)
})
