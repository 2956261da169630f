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
import { counted, wrongTotals } from '../../support/rows/counted-rows.ts'
import { openWorld } from '../../support/world.ts'
import { CallGate } from './call-gate.ts'
import type { Outcome } from './kill-points.ts'
import { KilledServer, type Step } from './killed-server.ts'

const { billing, database, ending, foundTenant, given, stripe } = await openWorld()

const gate = new CallGate(stripe.url)
await gate.open()
ending.unshift(gate.close)
const server = new KilledServer({ STRIPE_URL: gate.url })

beforeAll(() => server.start(), 60_000)

let organizationCount = 0

/** A user who creates an organization. */
function founder() {
  const name = `Founded ${++organizationCount}`
  const user = Object.assign(new User(), { subject: name })
  return { name, user, found: () => server.post(user, '/organizations', { name }, name.replace(' ', '-')) }
}

/** Expects one organization of that name, with its defaults, its creator as the only member, and the status active. */
async function expectFounded({ name, user }: ReturnType<typeof founder>): Promise<void> {
  const [{ id, databaseStatus }] = await eventually(
    () => database.manager.findBy(Organization, { name }),
    (found) => expect(found.map(({ status }) => status)).toEqual(['active']),
    30,
  )
  expect(databaseStatus).toBeNull()
  const defaults = {
    configs: OrganizationConfig,
    footers: MailFooter,
    languages: Language,
    modules: OrganizationModule,
  }
  const counts = Object.entries({ ...defaults, people: OrganizationUser, events: AuditEvent }).map(
    async ([name, type]) => [name, await database.manager.countBy(type, { organizationId: id })] as const,
  )
  expect(Object.fromEntries(await Promise.all(counts))).toEqual({
    ...{ configs: 8, footers: 1, languages: 2, modules: 4 },
    ...{ people: 1, events: 1 },
  })
  expect((await server.get(user, `/organizations/${id}`)).body).toMatchObject({
    status: 'active',
    databaseStatus: null,
  })
}

/** Stops the creation of an organization. */
const stopCreating = (timing: string, outcome: Outcome, replayed?: string) => async (): Promise<Step> => {
  const one = founder()
  return {
    killPoint: { timing, condition: `NEW."changes"->'name'->>1 = '${one.name}'`, outcome },
    start: one.found,
    async verify() {
      expect(await database.manager.countBy(Organization, { name: one.name })).toBe(replayed ? 1 : 0)
      expect(await database.manager.countBy(User, { subject: one.name })).toBe(replayed ? 1 : 0)
      const { status, headers } = await one.found()
      expect([status, headers['idempotent-replayed']]).toEqual([201, replayed])
      await expectFounded(one)
    },
  }
}

/** Stops the job that provisions an organization. */
const stopProvisioning = (timing: string, own: string, outcome: Outcome) => async (): Promise<Step> => {
  const one = founder()
  const id = `(SELECT "id" FROM "organization" WHERE "name" = '${one.name}')`
  return {
    killPoint: { timing, condition: own.replace('$', id), outcome },
    start: one.found,
    verify: () => expectFounded(one),
  }
}

server.killAtSteps('After the server is killed while an organization is created,', [
  [
    'an organization without its modules gets them',
    stopProvisioning('BEFORE INSERT ON "organization_module"', 'NEW."organizationId" = $', 'undone'),
  ],
  [
    'an organization that the killed process still had locked gets its modules once',
    stopProvisioning('BEFORE INSERT ON "organization_module"', 'NEW."organizationId" = $', 'late'),
  ],
  [
    'an organization that was complete but not active becomes active',
    stopProvisioning('BEFORE UPDATE ON "organization"', `NEW."id" = $ AND NEW."status" = 'active'`, 'undone'),
  ],
  [
    'an organization whose job was not marked as done stays active',
    stopProvisioning('BEFORE DELETE ON graphile_worker."_private_jobs"', `OLD."key" = 'provision:' || $`, 'undone'),
  ],
  [
    'an organization whose audit event was being stored does not exist',
    stopCreating('BEFORE INSERT ON "audit_event"', 'undone'),
  ],
  ['an organization whose commit was lost does not exist', stopCreating('COMMIT OF INSERT ON "audit_event"', 'undone')],
  [
    'an organization that was committed without a response is complete',
    stopCreating('COMMIT OF INSERT ON "audit_event"', 'done', 'true'),
  ],
])

/** A demo organization with meetings, whose notes are their numbers, a location and a language of its own. */
async function demo(meetings: number) {
  const slug = `demo-${++organizationCount}`
  const { organization, users } = await foundTenant(slug, slug, { demo: true })
  const own = { organizationId: organization.id }
  await given(Location, { ...own, name: 'Office' })
  await given(Language, { ...own, id: 'fr' })
  for (let start = 0; start < meetings; start += 10_000)
    await database.query(
      counted(
        database,
        'meeting',
        `INSERT INTO "meeting" ("id", "createdAt", "updatedAt", "version", "organizationId", "dateFrom", "dateTo", "notes")
        SELECT gen_random_uuid(), now(), now(), 1, $1, now(), now() + interval '1 hour', n::text
          FROM generate_series($2::int, least($2::int + 9999, $3::int - 1)) n`,
      ),
      [organization.id, start, meetings],
    )
  const clear = () => server.post(users.owner, '/organizations/clear', { confirm: slug }, `clear-${slug}`)
  const counts = async () => {
    const all = [Meeting, Location, Language].map((type) => database.manager.countBy(type, own))
    return [...(await Promise.all(all)), await database.manager.countBy(AuditEvent, own)]
  }
  return { organization, clear, counts }
}

/** Stops the clearing of a demo organization. */
const stopClearing =
  (meetings: number, timing: string, own: string, outcome: Outcome, replayed?: string) => async (): Promise<Step> => {
    const { organization, clear, counts } = await demo(meetings)
    return {
      killPoint: { timing, condition: own.replace('$', `'${organization.id}'`), outcome },
      start: clear,
      async verify() {
        expect(await counts()).toEqual(replayed ? [0, 0, 2, 1] : [meetings, 1, 3, 0])
        const { status, headers } = await clear()
        expect([status, headers['idempotent-replayed']]).toEqual([201, replayed])
        expect(await counts()).toEqual([0, 0, 2, 1])
        expect(await wrongTotals(database)).toEqual([])
      },
    }
  }

const cleared = `NEW."organizationId" = $ AND NEW."action" = 'organization.clear'`

server.killAtSteps('After the server is killed while an organization is cleared,', [
  [
    'all of 100,000 meetings exist when half of them were deleted',
    stopClearing(100_000, 'BEFORE DELETE ON "meeting"', `OLD."organizationId" = $ AND OLD."notes" = '50000'`, 'undone'),
  ],
  [
    'everything exists when the commit was lost',
    stopClearing(1000, 'COMMIT OF INSERT ON "audit_event"', cleared, 'undone'),
  ],
  [
    'everything is cleared when it was committed without a response',
    stopClearing(1000, 'COMMIT OF INSERT ON "audit_event"', cleared, 'done', 'true'),
  ],
])

/** An organization that subscribes. */
function subscriber({ tenant, card }: Customer & { card?: string }) {
  const { id } = tenant.organization
  const subscribe = (key = id) => server.post(tenant.users.owner, '/subscriptions', { paymentMethod: card }, key)
  return { id, subscribe }
}

/** Expects one row, which is that of the response, one customer and one subscription at Stripe, and one audit event. */
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

/** The client does not retry. Two minutes later a job resolves the pending subscription. */
async function resolvePending(organizationId: string): Promise<Subscription[]> {
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

/** Holds a request to Stripe, or its response. */
const holdAtStripe =
  (held: 'request' | 'response', path: string, expected: (one: ReturnType<typeof subscriber>) => Promise<void>) =>
  async (): Promise<Step> => {
    const one = subscriber(path === 'customers' ? await stripeCustomer() : await payingCustomer())
    return {
      async start() {
        const reached = gate.hold(held, `POST /v1/${path}`, one.id)
        one.subscribe().catch(() => {})
        await reached
      },
      verify: () => expected(one),
    }
  }

/** Stops the server when it stores Stripe's response. */
const stopRecording = (timing: string, own: string) => async (): Promise<Step> => {
  const one = subscriber(await payingCustomer())
  return {
    killPoint: { timing, condition: own.replace('$', `'${one.id}'`) },
    start: one.subscribe,
    verify: () => retry(one),
  }
}

async function retry({ id, subscribe }: ReturnType<typeof subscriber>): Promise<void> {
  await expectSubscribed(id, await subscribe())
}

server.killAtSteps('After the server is killed while an organization subscribes,', [
  [
    'a retry uses the customer whose creation at Stripe got no response',
    holdAtStripe('response', 'customers', async ({ id, subscribe }) => {
      const { status, body } = await subscribe()
      expect([status, body.status]).toEqual([201, 'incomplete'])
      await expectAtStripe(id, [body.externalId])
    }),
  ],
  ['a retry subscribes when Stripe had not received the request', holdAtStripe('request', 'subscriptions', retry)],
  [
    'without a retry it can subscribe again when Stripe had not received the request',
    holdAtStripe('request', 'subscriptions', async ({ id, subscribe }) => {
      expect(await resolvePending(id)).toEqual([])
      await expectAtStripe(id, [])
      await expectSubscribed(id, await subscribe('again'))
    }),
  ],
  [
    'a retry finds one subscription when the response of Stripe was lost',
    holdAtStripe('response', 'subscriptions', retry),
  ],
  [
    'without a retry it is subscribed when the response of Stripe was lost',
    holdAtStripe('response', 'subscriptions', async ({ id }) => {
      const [{ status, externalId }, ...others] = await resolvePending(id)
      expect([status, others]).toEqual(['active', []])
      await expectAtStripe(id, [externalId as string])
    }),
  ],
  [
    'a retry finds one subscription when the response of Stripe was not stored',
    stopRecording('BEFORE UPDATE ON "subscription"', 'NEW."organizationId" = $ AND NEW."externalId" IS NOT NULL'),
  ],
  [
    'a retry finds one subscription when its own response was not stored',
    stopRecording('BEFORE UPDATE ON "idempotency_key"', 'NEW."tenant" = $ AND NEW."answer" IS NOT NULL'),
  ],
])
