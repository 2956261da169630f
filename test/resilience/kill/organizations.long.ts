import {
  AuditEvent,
  Language,
  Location,
  MailFooter,
  Meeting,
  Organization,
  OrganizationConfig,
  OrganizationModule,
  OrganizationUser,
  Subscription,
  User,
} from '../../../entities/index.ts'
import { type Customer, payingCustomer, stripeCustomer } from '../../support/billing/billing.ts'
import { dashboard } from '../../support/billing/stripe.ts'
import { eventually } from '../../support/eventually.ts'
import { billing, database, ending, foundTenant, given, stripe } from '../../support/world.ts'
import { CallGate } from './call-gate.ts'
import type { Outcome } from './kill-points.ts'
import { KilledServer, type Step } from './killed-server.ts'

const gate = new CallGate(stripe.url)
await gate.open()
ending.unshift(gate.close)
const victim = new KilledServer({ STRIPE_URL: gate.url })

beforeAll(() => victim.start(), 60_000)

let made = 0

/** Somebody who founds an organization. */
function founder() {
  const name = `Founded ${++made}`
  const user = Object.assign(new User(), { subject: name })
  return { name, user, found: () => victim.post(user, '/organizations', { name }, name.replace(' ', '-')) }
}

/** There is one organization of that name; it has all that one starts with, once, and its founder, and can be worked with. */
async function expectFounded({ name, user }: ReturnType<typeof founder>): Promise<void> {
  const [{ id, databaseStatus }] = await eventually(
    () => database.manager.findBy(Organization, { name }),
    (found) => expect(found.map(({ status }) => status)).toEqual(['active']),
    30,
  )
  expect(databaseStatus).toBeNull()
  const pieces = { configs: OrganizationConfig, footers: MailFooter, languages: Language, modules: OrganizationModule }
  const counts = Object.entries({ ...pieces, people: OrganizationUser, events: AuditEvent }).map(
    async ([what, type]) => [what, await database.manager.countBy(type, { organizationId: id })] as const,
  )
  expect(Object.fromEntries(await Promise.all(counts))).toEqual({
    ...{ configs: 8, footers: 1, languages: 2, modules: 4 },
    ...{ people: 1, events: 1 },
  })
  expect((await victim.get(user, `/organizations/${id}`)).body).toMatchObject({
    status: 'active',
    databaseStatus: null,
  })
}

/** Halts somebody who founds an organization. */
const founding = (when: string, fate: Outcome, replayed?: string) => async (): Promise<Step> => {
  const one = founder()
  return {
    at: { when, which: `NEW."changes"->'name'->>1 = '${one.name}'`, fate },
    begin: one.found,
    async after() {
      expect(await database.manager.countBy(Organization, { name: one.name })).toBe(replayed ? 1 : 0)
      expect(await database.manager.countBy(User, { subject: one.name })).toBe(replayed ? 1 : 0)
      const { status, headers } = await one.found()
      expect([status, headers['idempotent-replayed']]).toEqual([201, replayed])
      await expectFounded(one)
    },
  }
}

/** Halts the job that sets an organization up. */
const settingUp = (when: string, own: string, fate: Outcome) => async (): Promise<Step> => {
  const one = founder()
  const id = `(SELECT "id" FROM "organization" WHERE "name" = '${one.name}')`
  return { at: { when, which: own.replace('$', id), fate }, begin: one.found, after: () => expectFounded(one) }
}

victim.killedWhile('The server is killed while an organization is founded, and', [
  [
    'one gets its modules that had not got them',
    settingUp('BEFORE INSERT ON "organization_module"', 'NEW."organizationId" = $', 'undone'),
  ],
  [
    'one gets its modules once that had just been given them, and nobody let go of it yet',
    settingUp('BEFORE INSERT ON "organization_module"', 'NEW."organizationId" = $', 'late'),
  ],
  [
    'one is active that had everything and was not',
    settingUp('BEFORE UPDATE ON "organization"', `NEW."id" = $ AND NEW."status" = 'active'`, 'undone'),
  ],
  [
    'one stays active whose job was not marked as done',
    settingUp('BEFORE DELETE ON graphile_worker."_private_jobs"', `OLD."key" = 'provision:' || $`, 'undone'),
  ],
  ['nothing of one is there that was about to be written down', founding('BEFORE INSERT ON "audit_event"', 'undone')],
  ['nothing of one is there that was committed in vain', founding('COMMIT OF INSERT ON "audit_event"', 'undone')],
  [
    'one is there whole that was committed though nobody heard of it',
    founding('COMMIT OF INSERT ON "audit_event"', 'done', 'true'),
  ],
])

/** A demo with so many meetings, the last of which is called so, a location and a language of its own. */
async function demo(meetings: number) {
  const slug = `demo-${++made}`
  const { organization, users } = await foundTenant(slug, slug, { demo: true })
  const own = { organizationId: organization.id }
  await given(Location, { ...own, name: 'Office' })
  await given(Language, { ...own, id: 'fr' })
  for (let start = 0; start < meetings; start += 10_000)
    await database.query(
      `INSERT INTO "meeting" ("id", "createdAt", "updatedAt", "version", "organizationId", "dateFrom", "dateTo", "notes")
        SELECT gen_random_uuid(), now(), now(), 1, $1, now(), now() + interval '1 hour', n::text
          FROM generate_series($2::int, least($2::int + 9999, $3::int - 1)) n`,
      [organization.id, start, meetings],
    )
  const clear = () => victim.post(users.owner, '/organizations/clear', { confirm: slug }, `clear-${slug}`)
  const counts = async () => {
    const all = [Meeting, Location, Language].map((type) => database.manager.countBy(type, own))
    return [...(await Promise.all(all)), await database.manager.countBy(AuditEvent, own)]
  }
  return { organization, clear, counts }
}

/** Halts somebody who wipes a demo of so many meetings. */
const clearing =
  (meetings: number, when: string, own: string, fate: Outcome, replayed?: string) => async (): Promise<Step> => {
    const { organization, clear, counts } = await demo(meetings)
    return {
      at: { when, which: own.replace('$', `'${organization.id}'`), fate },
      begin: clear,
      async after() {
        expect(await counts()).toEqual(replayed ? [0, 0, 2, 1] : [meetings, 1, 3, 0])
        const { status, headers } = await clear()
        expect([status, headers['idempotent-replayed']]).toEqual([201, replayed])
        expect(await counts()).toEqual([0, 0, 2, 1])
      },
    }
  }

const wiped = `NEW."organizationId" = $ AND NEW."action" = 'organization.clear'`

victim.killedWhile('The server is killed while an organization is cleared, and', [
  [
    'nothing is gone of 100,000 meetings of which half were deleted',
    clearing(100_000, 'BEFORE DELETE ON "meeting"', `OLD."organizationId" = $ AND OLD."notes" = '50000'`, 'undone'),
  ],
  ['nothing is gone that was committed in vain', clearing(1000, 'COMMIT OF INSERT ON "audit_event"', wiped, 'undone')],
  [
    'everything is gone once what was committed though nobody heard of it',
    clearing(1000, 'COMMIT OF INSERT ON "audit_event"', wiped, 'done', 'true'),
  ],
])

/** An organization that subscribes. */
function subscriber({ tenant, card }: Customer & { card?: string }) {
  const { id } = tenant.organization
  const subscribe = (key = id) => victim.post(tenant.users.owner, '/subscriptions', { paymentMethod: card }, key)
  return { id, subscribe }
}

/** Whatever happened: one row, that of the answer; one customer and one subscription at Stripe; one line in the audit log. */
async function expectSubscribed(organizationId: string, { status, body }: Awaited<ReturnType<KilledServer['post']>>) {
  expect([status, body.status]).toEqual([201, 'active'])
  const own = { organizationId }
  expect(await database.manager.findBy(Subscription, own)).toEqual([
    expect.objectContaining({ id: body.id, externalId: body.externalId, status: 'active' }),
  ])
  await expectAtStripe(organizationId, [body.externalId])
  expect(await database.manager.countBy(AuditEvent, { ...own, action: 'subscription.create' })).toBe(1)
}

async function expectAtStripe(organization: string, subscriptions: string[]): Promise<void> {
  const { data } = await dashboard.customers.list({ limit: 100 })
  const customers = data.filter(({ metadata }) => metadata.organization === organization)
  expect(customers).toHaveLength(1)
  expect((await billing.listLiveSubscriptions(customers[0].id)).map(({ id }) => id)).toEqual(subscriptions)
}

/** Nobody asks again, and two minutes later the job comes that ends the doubt. */
async function settle(organizationId: string): Promise<Subscription[]> {
  await database.query(
    `UPDATE "idempotency_key" SET "claimedAt" = "claimedAt" - interval '2 minutes' WHERE "tenant" = $1`,
    [organizationId],
  )
  await database.query(
    `UPDATE graphile_worker."_private_jobs" SET "run_at" = now()
      WHERE "key" = 'settle:' || (SELECT "id" FROM "subscription" WHERE "organizationId" = $1)`,
    [organizationId],
  )
  return eventually(
    () => database.manager.findBy(Subscription, { organizationId }),
    (found) => expect(found.map(({ externalId }) => externalId)).not.toContain(null),
    30,
  )
}

/** Holds up what is asked of Stripe, or what it answers. */
const asking =
  (what: 'request' | 'answer', path: string, ends: (one: ReturnType<typeof subscriber>) => Promise<void>) =>
  async (): Promise<Step> => {
    const one = subscriber(path === 'customers' ? await stripeCustomer() : await payingCustomer())
    return {
      async begin() {
        const held = gate.hold(what, `POST /v1/${path}`, one.id)
        one.subscribe().catch(() => {})
        await held
      },
      after: () => ends(one),
    }
  }

/** Halts somebody who writes down what Stripe has answered. */
const recording = (when: string, own: string) => async (): Promise<Step> => {
  const one = subscriber(await payingCustomer())
  return {
    at: { when, which: own.replace('$', `'${one.id}'`) },
    begin: one.subscribe,
    after: () => again(one),
  }
}

async function again({ id, subscribe }: ReturnType<typeof subscriber>): Promise<void> {
  await expectSubscribed(id, await subscribe())
}

victim.killedWhile('The server is killed while an organization subscribes, and', [
  [
    'it is one customer when it asks again, though that Stripe had made it was not heard',
    asking('answer', 'customers', async ({ id, subscribe }) => {
      const { status, body } = await subscribe()
      expect([status, body.status]).toEqual([201, 'incomplete'])
      await expectAtStripe(id, [body.externalId])
    }),
  ],
  ['it subscribes when it asks again, though Stripe had not heard of it', asking('request', 'subscriptions', again)],
  [
    'it may subscribe anew when it does not ask again and Stripe had not heard of it',
    asking('request', 'subscriptions', async ({ id, subscribe }) => {
      expect(await settle(id)).toEqual([])
      await expectAtStripe(id, [])
      await expectSubscribed(id, await subscribe('anew'))
    }),
  ],
  ['it has subscribed once when it asks again and was not told', asking('answer', 'subscriptions', again)],
  [
    'it has subscribed when it does not ask again and was not told',
    asking('answer', 'subscriptions', async ({ id }) => {
      const [{ status, externalId }, ...others] = await settle(id)
      expect([status, others]).toEqual(['active', []])
      await expectAtStripe(id, [externalId as string])
    }),
  ],
  [
    'it has subscribed once when it asks again and that was not written down',
    recording('BEFORE UPDATE ON "subscription"', 'NEW."organizationId" = $ AND NEW."externalId" IS NOT NULL'),
  ],
  [
    'it has subscribed once when it asks again and what it would have been told was not kept',
    recording('BEFORE UPDATE ON "idempotency_key"', 'NEW."tenant" = $ AND NEW."answer" IS NOT NULL'),
  ],
])
