import { setTimeout as sleep } from 'node:timers/promises'
import type { DataSource } from 'typeorm'
import { connectTo } from '../../../ormconfig.ts'
import { type LocalStripe, startLocalStripe } from '../../../src/emulators/stripe/server.ts'
import { migrate } from '../../../src/migrations/migrate.ts'
import { survivePoolErrors } from '../../../src/runtime/database.ts'
import { clientOf } from '../../emulators/stripe/local-client.ts'
import { eventually } from '../../support/eventually.ts'
import { PostgresProcess, ServerProcess } from '../../support/processes/server-process.ts'
import { atStripe, inDatabase } from './crash-recovery/comparison.ts'
import { Customers } from './crash-recovery/customers.ts'
import { EventSender } from './crash-recovery/event-sender.ts'
import { SeededRandom } from './crash-recovery/seeded-random.ts'

/** What happens again when it is asked for again, as far as chance decides it: `STORM_SEED=7 npm test storm`. */
const seed = Number(process.env.STORM_SEED ?? Date.now() % 1_000_000)
const chance = new SeededRandom(seed)

const wanted = { customers: 20, events: 2000, copies: 3, forgeries: 240 }

/** How many events have happened before the first is delivered; the others happen during the storm. */
const before = 1300

type Victim = 'server' | 'postgres'

/** What is killed, in turn, while events are delivered. */
const strikes = chance.shuffled<Victim>(['server', 'server', 'server', 'server', 'server', 'postgres'])

/** Seconds in which what was stranded is done: by the clock alone it would wait for more than half a minute. */
const patience = 25

const cluster = new PostgresProcess()
let stripe: LocalStripe
let service: ServerProcess
let database: DataSource
let customers: Customers
let postman: EventSender
let seconds = 0
let stranded = 0
let over = false

beforeAll(async () => {
  const began = Date.now()
  await Promise.all([cluster.start(), startLocalStripe().then((started) => (stripe = started))])
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
  customers = new Customers(clientOf(stripe), stripe, chance)
  postman = new EventSender(stripe, chance, () => service.port)
  await Promise.all([service.start(), prepare()])
  dawdle()
  const going = [postman.carry(), change(), strike()]
  try {
    await Promise.all(going.slice(1))
    await settle()
    for (const victim of ['server', 'postgres'] as const) await strand(victim)
  } finally {
    over = true
    postman.stop()
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
    `The storm of seed ${seed}: ${stripe?.stripe.events.length} events of ${customers?.changes} changes, ` +
      `${postman?.accepted} deliveries, ${postman?.resends} resends, ${postman?.refused} forgeries refused, ` +
      `the server killed ${service?.kills} times and Postgres ${cluster.kills}, ${stranded} events stranded, ${seconds} s.\n`,
  )
}, 60_000)

test('the storm was one, and the server ended only when it was killed', () => {
  expect(stripe.stripe.events.length).toBeGreaterThanOrEqual(wanted.events)
  expect(postman.accepted).toBe(wanted.copies * stripe.stripe.events.length)
  expect(service.kills).toBeGreaterThanOrEqual(5)
  expect(cluster.kills).toBeGreaterThanOrEqual(1)
  expect(stranded).toBeGreaterThan(0)
  expect(service.unexpectedExits).toBe(0)
})

test('every event is there once, done, or ignored where it says nothing of what is shown', async () => {
  const rows = await database.query('SELECT "id", "type", "status" FROM "stripe_event" ORDER BY "id"')

  const expected = stripe.stripe.events.map(({ id, type }) => ({
    id,
    type,
    status: telling(type) ? 'done' : 'ignored',
  }))
  expect(rows).toEqual(expected.toSorted((one, other) => (one.id < other.id ? -1 : 1)))
})

test('no event was applied twice', async () => {
  expect(await database.query('SELECT "id" FROM "transition" GROUP BY "id" HAVING count(*) > 1')).toEqual([])
  expect(await database.query('SELECT count(*)::int AS "all" FROM "transition"')).toEqual([
    { all: stripe.stripe.events.length },
  ])
})

test('what was forged, stale, ahead of time or tampered with was refused without a trace', async () => {
  expect(postman.wrong).toEqual([])
  expect(postman.refused).toBe(wanted.forgeries)
  expect(await database.query('SELECT "id" FROM "stripe_event" WHERE "id" = ANY($1)', [postman.forged])).toEqual([])
})

test('every customer has here what it has at Stripe, and one live subscription at most', async () => {
  const client = clientOf(stripe)
  for (const { id, organization } of customers.all)
    expect(await inDatabase(database, organization)).toEqual(await atStripe(client, id))
  const many = await database.query(
    `SELECT "organizationId" FROM "subscription" WHERE "status" NOT IN ('canceled', 'incomplete_expired')
      GROUP BY 1 HAVING count(*) > 1`,
  )
  expect(many).toEqual([])
})

test('the audit log tells of every change once, each from where the one before had ended', async () => {
  const rows: { id: string; status: string; seats: number }[] = await database.query(
    'SELECT "id", "status", "seats" FROM "subscription" WHERE "externalId" IS NOT NULL',
  )
  for (const { id, status, seats } of rows) {
    const told: { changes: Record<string, [unknown, unknown]> }[] = await database.query(
      `SELECT "changes" FROM "audit_event" WHERE "target" = $1 ORDER BY "id"`,
      [`/subscriptions/${id}`],
    )
    for (const [name, last] of Object.entries({ status, seats })) {
      const steps = told.flatMap(({ changes }) => (changes[name] ? [changes[name]] : []))
      expect(steps.slice(1).map(([from]) => from)).toEqual(steps.slice(0, -1).map(([, to]) => to))
      if (steps.length > 0) expect(steps.at(-1)?.[1]).toBe(last)
    }
  }
  expect(rows.length).toBeGreaterThanOrEqual(wanted.customers)
})

/** Has each event that is done, or ignored, written down in the same transaction: what is done twice is there twice. */
async function countTransitions(): Promise<void> {
  await database.query('CREATE TABLE "transition" ("id" text NOT NULL)')
  await database.query(`CREATE FUNCTION "count_transition"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO "transition" VALUES (NEW."id"); RETURN NULL; END $$`)
  await database.query(`CREATE TRIGGER "counted" AFTER INSERT OR UPDATE ON "stripe_event"
    FOR EACH ROW WHEN (NEW."status" IN ('done', 'ignored')) EXECUTE FUNCTION "count_transition"()`)
}

/** Customers, and what has happened to them before anybody is told. */
async function prepare(): Promise<void> {
  await customers.found(database.manager, wanted.customers)
  while (stripe.stripe.events.length < before) await customers.change()
  const events = stripe.stripe.events
  for (const event of events) postman.post(event, wanted.copies)
  for (let count = 0; count < wanted.forgeries; count++) postman.forge(chance.one(events))
}

/** Goes on changing things while what has happened is delivered. */
async function change(): Promise<void> {
  let known = stripe.stripe.events.length
  while (known < wanted.events && !over) {
    await customers.change()
    const news = stripe.stripe.events.slice(known)
    for (const event of news) postman.post(event, wanted.copies)
    known += news.length
    await sleep(chance.below(50))
  }
}

/** Kills what is to be killed, each when a certain share has been delivered, and starts it again. */
async function strike(): Promise<void> {
  const share = (wanted.events * wanted.copies) / (strikes.length + 1)
  for (const [place, victim] of strikes.entries()) {
    await until(() => postman.accepted >= share * (place + 0.3 + chance.next() * 0.6))
    await sleep(chance.below(100))
    await kill(victim)
  }
}

/** Kills when one event of each customer is delivered and some are under way: nothing more comes that would remind of them. */
async function strand(victim: Victim): Promise<void> {
  const known = stripe.stripe.events.length
  stripe.clearFaults()
  stripe.fault({ kind: 'slow', method: 'GET', path: '/v1/invoices', ms: 3000, times: 4 })
  await customers.stir()
  for (const event of stripe.stripe.events.slice(known)) postman.post(event, wanted.copies)
  await until(() => postman.left === 0)
  stranded += await waiting()
  await kill(victim)
  await settle(patience)
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

/** Waits until all is delivered and done. */
async function settle(within?: number): Promise<void> {
  await until(() => postman.left === 0)
  await until(async () => (await waiting()) === 0, within)
}

/** Has Stripe take its time, as it does, so that much happens while it is asked. */
function dawdle(): void {
  for (let count = 0; count < 1000; count++)
    stripe.fault({ kind: 'slow', method: 'GET', path: '/v1/invoices', ms: 5 + chance.below(150), times: 3 })
}

/** Whether an event of this type tells of what is shown; the others are for somebody else. */
function telling(type: string): boolean {
  if (['customer.updated', 'setup_intent.succeeded'].includes(type)) return true
  if (['invoice.created', 'invoice.upcoming'].includes(type)) return false
  return ['customer.subscription.', 'customer.discount.', 'invoice.', 'payment_method.'].some((start) =>
    type.startsWith(start),
  )
}

async function waiting(): Promise<number> {
  const [{ waiting }] = await database.query(
    `SELECT count(*)::int AS "waiting" FROM "stripe_event" WHERE "status" NOT IN ('done', 'ignored')`,
  )
  return waiting
}

/** Waits for something, unless the storm is over before. */
async function until(holds: () => boolean | Promise<boolean>, within = 60): Promise<void> {
  const held = await eventually(holds, (held) => expect(held || over).toBe(true), within).catch(() => false)
  if (!held) throw new Error(`In vain, with the seed ${seed}: ${holds}\n${service.output.join('')}`)
}
