import { setTimeout as sleep } from 'node:timers/promises'
import type { DataSource } from 'typeorm'
import { catalogue } from '../../../entities/organization-module.ts'
import { connectTo } from '../../../ormconfig.ts'
import { type LocalStripe, startLocalStripe } from '../../../src/emulators/stripe/server.ts'
import { migrate } from '../../../src/migrations/migrate.ts'
import { survivePoolErrors } from '../../../src/runtime/database.ts'
import { clientOf } from '../../emulators/stripe/local-client.ts'
import { eventually } from '../../support/eventually.ts'
import { PostgresProcess, ServerProcess } from '../../support/processes/server-process.ts'
import { stateAtStripe, stateInDatabase } from './crash-recovery/comparison.ts'
import { Customers } from './crash-recovery/customers.ts'
import { EventSender } from './crash-recovery/event-sender.ts'
import { SeededRandom } from './crash-recovery/seeded-random.ts'

/** `STORM_SEED=7` repeats the random choices of a run. */
const seed = Number(process.env.STORM_SEED ?? Date.now() % 1_000_000)
const random = new SeededRandom(seed)

const wanted = { customers: 20, events: 1200, copies: 3, forgeries: 240 }

/** The number of events before the first delivery; the others happen during the deliveries. */
const earlyEvents = 800

type Victim = 'server' | 'postgres'

/** The processes that are killed, in this order, while events are delivered. */
const victims = random.shuffled<Victim>(['server', 'server', 'server', 'server', 'server', 'postgres'])

/** Stranded events must be processed within 25 seconds. The periodic job alone would need more than 30. */
const strandedTimeoutSeconds = 25

const cluster = new PostgresProcess()
let stripe: LocalStripe
let service: ServerProcess
let database: DataSource
let customers: Customers
let sender: EventSender
let seconds = 0
let stranded = 0
let over = false

beforeAll(async () => {
  const began = Date.now()
  await Promise.all([cluster.start(), startLocalStripe({ modules: catalogue }).then((started) => (stripe = started))])
  database = await connectTo({ url: cluster.url }, 5).initialize()
  survivePoolErrors(database)
  await migrate(database)
  await countTransitions()
  service = new ServerProcess({
    DATABASE_URL: cluster.url,
    DATA_DIR: cluster.serverDirectory,
    STRIPE_URL: stripe.url,
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_PUBLISHABLE_KEY: stripe.publishableKey,
    STRIPE_WEBHOOK_SECRET: `whsec_until_yesterday,${stripe.webhookSecret}`,
  })
  customers = new Customers(clientOf(stripe), stripe, random)
  sender = new EventSender(stripe, random, () => service.port)
  await Promise.all([service.start(), prepare()])
  slowDownStripe()
  const going = [sender.run(), change(), killVictims()]
  try {
    await Promise.all(going.slice(1))
    await settle()
    for (const victim of ['server', 'postgres'] as const) await strand(victim)
  } finally {
    over = true
    sender.stop()
    await Promise.allSettled(going)
  }
  seconds = Math.round((Date.now() - began) / 1000)
}, 180_000)

afterAll(async () => {
  over = true
  await service?.close()
  await database?.destroy()
  await stripe?.stop()
  await cluster.remove()
  process.stderr.write(
    `Crash recovery with the seed ${seed}: ${stripe?.stripe.events.length} events of ${customers?.changes} changes, ` +
      `${sender?.accepted} deliveries, ${sender?.resends} resends, ${sender?.refused} forgeries refused, ` +
      `the server killed ${service?.kills} times and Postgres ${cluster.kills}, ${stranded} events stranded, ${seconds} s.\n`,
  )
}, 60_000)

test('the server and Postgres were killed often enough, and the server never ended by itself', () => {
  expect(stripe.stripe.events.length).toBeGreaterThanOrEqual(wanted.events)
  expect(sender.accepted).toBe(wanted.copies * stripe.stripe.events.length)
  expect(service.kills).toBeGreaterThanOrEqual(5)
  expect(cluster.kills).toBeGreaterThanOrEqual(1)
  expect(stranded).toBeGreaterThan(0)
  expect(service.unexpectedExits).toBe(0)
})

test('every event is stored once, as done or, when it is irrelevant, as ignored', async () => {
  const rows = await database.query('SELECT "id", "type", "status" FROM "stripe_event" ORDER BY "id"')

  const expected = stripe.stripe.events.map(({ id, type }) => ({
    id,
    type,
    status: isRelevant(type) ? 'done' : 'ignored',
  }))
  expect(rows).toEqual(expected.toSorted((one, other) => (one.id < other.id ? -1 : 1)))
})

test('no event was processed twice', async () => {
  expect(await database.query('SELECT "id" FROM "transition" GROUP BY "id" HAVING count(*) > 1')).toEqual([])
  expect(await database.query('SELECT count(*)::int AS "all" FROM "transition"')).toEqual([
    { all: stripe.stripe.events.length },
  ])
})

test('forged, stale, future and altered events were refused without a trace', async () => {
  expect(sender.wrong).toEqual([])
  expect(sender.refused).toBe(wanted.forgeries)
  expect(await database.query('SELECT "id" FROM "stripe_event" WHERE "id" = ANY($1)', [sender.forged])).toEqual([])
})

test('every customer has the state of Stripe, and at most one live subscription', async () => {
  const client = clientOf(stripe)
  for (const { id, organization } of customers.all)
    expect(await stateInDatabase(database, organization)).toEqual(await stateAtStripe(client, id))
  const many = await database.query(
    `SELECT "organizationId" FROM "subscription" WHERE "status" NOT IN ('canceled', 'incomplete_expired')
      GROUP BY 1 HAVING count(*) > 1`,
  )
  expect(many).toEqual([])
})

test('the audit log has every change once, and each starts from the value of the previous one', async () => {
  const rows: { id: string; status: string; seats: number }[] = await database.query(
    'SELECT "id", "status", "seats" FROM "subscription" WHERE "externalId" IS NOT NULL',
  )
  for (const { id, status, seats } of rows) {
    const events: { changes: Record<string, [unknown, unknown]> }[] = await database.query(
      `SELECT "changes" FROM "audit_event" WHERE "target" = $1 ORDER BY "id"`,
      [`/subscriptions/${id}`],
    )
    for (const [name, last] of Object.entries({ status, seats })) {
      const steps = events.flatMap(({ changes }) => (changes[name] ? [changes[name]] : []))
      expect(steps.slice(1).map(([from]) => from)).toEqual(steps.slice(0, -1).map(([, to]) => to))
      if (steps.length > 0) expect(steps.at(-1)?.[1]).toBe(last)
    }
  }
  expect(rows.length).toBeGreaterThanOrEqual(wanted.customers)
})

/** Counts each transition of an event to done or ignored, in its transaction: an event that is processed twice counts twice. */
async function countTransitions(): Promise<void> {
  await database.query('CREATE TABLE "transition" ("id" text NOT NULL)')
  await database.query(`CREATE FUNCTION "count_transition"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO "transition" VALUES (NEW."id"); RETURN NULL; END $$`)
  await database.query(`CREATE TRIGGER "counted" AFTER INSERT OR UPDATE ON "stripe_event"
    FOR EACH ROW WHEN (NEW."status" IN ('done', 'ignored')) EXECUTE FUNCTION "count_transition"()`)
}

/** Creates the customers and the early events, and enqueues their deliveries. */
async function prepare(): Promise<void> {
  await customers.create(database.manager, wanted.customers)
  while (stripe.stripe.events.length < earlyEvents) await customers.change()
  const events = stripe.stripe.events
  for (const event of events) sender.enqueue(event, wanted.copies)
  for (let count = 0; count < wanted.forgeries; count++) sender.enqueueForgery(random.one(events))
}

/** Makes further changes during the deliveries. */
async function change(): Promise<void> {
  let known = stripe.stripe.events.length
  while (known < wanted.events && !over) {
    await customers.change()
    const news = stripe.stripe.events.slice(known)
    for (const event of news) sender.enqueue(event, wanted.copies)
    known += news.length
    await sleep(random.below(50))
  }
}

/** Kills each victim after a share of the deliveries, and starts it again. */
async function killVictims(): Promise<void> {
  const share = (wanted.events * wanted.copies) / (victims.length + 1)
  for (const [position, victim] of victims.entries()) {
    await until(() => sender.accepted >= share * (position + 0.3 + random.next() * 0.6))
    await sleep(random.below(100))
    await kill(victim)
  }
}

/** Kills a victim while the last event of each customer is pending: no later event causes their processing. */
async function strand(victim: Victim): Promise<void> {
  const known = stripe.stripe.events.length
  stripe.clearFaults()
  stripe.fault({ kind: 'slow', method: 'GET', path: '/v1/invoices', ms: 3000, times: 4 })
  await customers.changeAll()
  for (const event of stripe.stripe.events.slice(known)) sender.enqueue(event, wanted.copies)
  await until(() => sender.remaining === 0)
  stranded += await countPending()
  await kill(victim)
  await settle(strandedTimeoutSeconds)
}

/** Kills the server or Postgres, and waits until it serves again. */
async function kill(victim: Victim): Promise<void> {
  if (victim === 'server') {
    await service.kill()
    await service.start()
  } else {
    await cluster.kill()
    await cluster.start()
    await service.ready()
  }
}

/** Waits until every event is delivered and processed. */
async function settle(within?: number): Promise<void> {
  await until(() => sender.remaining === 0)
  await until(async () => (await countPending()) === 0, within)
}

/** Delays responses of Stripe, so that many events happen during a sync. */
function slowDownStripe(): void {
  for (let count = 0; count < 1000; count++)
    stripe.fault({ kind: 'slow', method: 'GET', path: '/v1/invoices', ms: 5 + random.below(150), times: 3 })
}

/** Whether an event of this type can change stored state. */
function isRelevant(type: string): boolean {
  if (['customer.updated', 'setup_intent.succeeded'].includes(type)) return true
  if (['invoice.created', 'invoice.upcoming'].includes(type)) return false
  return ['customer.subscription.', 'customer.discount.', 'invoice.', 'payment_method.'].some((start) =>
    type.startsWith(start),
  )
}

async function countPending(): Promise<number> {
  const [{ pending }] = await database.query(
    `SELECT count(*)::int AS "pending" FROM "stripe_event" WHERE "status" NOT IN ('done', 'ignored')`,
  )
  return pending
}

/** Waits for a condition, or for the end of the test. */
async function until(holds: () => boolean | Promise<boolean>, within = 60): Promise<void> {
  const held = await eventually(holds, (held) => expect(held || over).toBe(true), within).catch(() => false)
  if (!held) throw new Error(`The condition was not met with the seed ${seed}: ${holds}\n${service.output.join('')}`)
}
