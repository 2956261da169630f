import sharp from 'sharp'
import {
  AuditEvent,
  Image,
  Organization,
  OrganizationUser,
  OutgoingMail,
  Subscription,
  User,
  WebhookEndpoint,
} from '../../../entities/index.ts'
import { TenantScope } from '../../../src/hydra/index.ts'
import { send } from '../../security/api-keys/programs.ts'
import { payingCustomer } from '../../support/billing/billing.ts'
import { syncNow } from '../../support/billing/sync-now.ts'
import { jobs } from '../../support/jobs.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld, type Tenant } from '../../support/world.ts'
import { counts, expectForgotten, givenInSharedTables, waitingJobs } from './organization-rows.ts'

const { as, billing, database, elsewhere, foundTenant, given, operator, served } = await openWorld()

const dayMs = 24 * 60 * 60 * 1000

const close = ({ organization, users }: Tenant, user = users.owner) =>
  as(user).post('/organizations/close', { confirm: organization.slug })
const reopen = ({ users }: Tenant, user = users.owner) => as(user).post('/organizations/reopen')
const rowOf = ({ organization: { id } }: Tenant) => database.manager.findOneByOrFail(Organization, { id })

const eventsOf = (target: string, action: string) => database.manager.findBy(AuditEvent, { target, action })

/** Closes an organization, and lets its grace period be over. */
async function expired(tenant: Tenant): Promise<string> {
  const { id } = tenant.organization
  await close(tenant).expect(201)
  await database.query(`UPDATE "organization" SET "deleteAt" = now() - interval '1 minute' WHERE "id" = $1`, [id])
  return id
}

describe('closing', () => {
  test('is for owners, who confirm it by the slug', async () => {
    const tenant = await foundTenant('Guarded', 'guarded-closing')
    for (const user of [tenant.users.admin, tenant.users.member, operator]) await close(tenant, user).expect(403)
    await as().post('/organizations/close', { confirm: 'guarded-closing' }).expect(401)
    await close(tenant, elsewhere.users.owner).expect(422)
    for (const confirm of ['Guarded', '', null]) {
      const { status, body } = await as(tenant.users.owner).post('/organizations/close', { confirm })
      expect([status, body.violations[0].propertyPath]).toEqual([422, 'confirm'])
    }
    expect(await rowOf(tenant)).toMatchObject({ status: 'active', deleteAt: null })
  })

  test('starts a grace period of 30 days, in which everyone can read, and a repetition changes nothing', async () => {
    const tenant = await foundTenant('Quiet', 'quiet')
    const { body } = await close(tenant).expect(201)
    expect(body).toMatchObject({ status: 'closed', deletedAt: null })
    expect(Date.parse(body.deleteAt)).toBeCloseTo(Date.now() + 30 * dayMs, -5)
    const again = await close(tenant).expect(200)
    expect(again.body.deleteAt).toBe(body.deleteAt)
    expect(await eventsOf(body['@id'], 'organization.close')).toMatchObject([
      { actorId: tenant.users.owner.id, changes: { status: ['active', 'closed'], deleteAt: [null, body.deleteAt] } },
    ])
    const { owner, admin, member } = tenant.users
    for (const user of [owner, admin, member]) await as(user).get('/locations').expect(200)
    await as(owner).post('/locations', { name: 'x' }).expect(403)
    await as(owner).patch('/organizations/mail-footer', { mailFooter: 'x' }).expect(403)
    await as(owner).post('/organizations/export').expect(202)
    const seen = (await as(owner).get(body['@id'])).body
    expect([seen.reopen, seen.close, seen.clear]).toEqual(['/organizations/reopen', undefined, undefined])
  })

  test('is refused while the organization is suspended, or closed by the operator', async () => {
    const tenant = await foundTenant('Held', 'held')
    const set = (status: string) =>
      as(operator).patch(`/organizations/${tenant.organization.id}`, { status }).expect(200)
    await set('suspended')
    await close(tenant).expect(403)
    await reopen(tenant).expect(409)
    await set('closed')
    await close(tenant).expect(409)
    await reopen(tenant).expect(409)
    expect(await rowOf(tenant)).toMatchObject({ status: 'closed', deleteAt: null })
  })

  test('cancels the subscription at Stripe, also where a job finds it only later', async () => {
    const { tenant, api, address, card } = await payingCustomer()
    const bought = { organizationAddress: `/organization-addresses/${address.id}`, paymentMethod: card, seats: 3 }
    await api.post('/subscriptions', bought).expect(201)
    await close(tenant).expect(201)
    const { id, stripeCustomerId } = await rowOf(tenant)
    await jobs.takeUp()
    expect(await waitingJobs(id)).toContain('endBilling')
    await jobs.endBilling({ organization: id })
    expect(await billing.listLiveSubscriptions(stripeCustomerId as string)).toEqual([])
    await syncNow(stripeCustomerId as string)
    const [{ status }] = await database.manager.findBy(Subscription, { organizationId: id })
    expect(status).toBe('canceled')
  })

  test('ends a subscription that the operator bills, and the consents of banks', async () => {
    const tenant = await foundTenant('Manual', 'manual-closing')
    const rows = await rowsOf(tenant)
    await close(tenant).expect(201)
    const { body } = await as(tenant.users.owner).get(`/subscriptions/${rows.Subscription.id}`)
    expect(body.status).toBe('canceled')
    expect((await as(tenant.users.owner).get(`/integrations/${rows.Integration.id}`)).body.status).toBe('revoking')
  })

  test('stops API keys and webhook endpoints until the organization is reopened', async () => {
    const tenant = await foundTenant('Wired', 'wired')
    const owner = as(tenant.users.owner)
    const expiresAt = new Date(Date.now() + dayMs).toISOString()
    const { body: key } = await owner.post('/api-keys', { name: 'Report', role: 'member', expiresAt }).expect(201)
    const { body: hook } = await owner.post('/webhook-endpoints', { url: 'https://hooks.example.com/' }).expect(201)
    const ofAdmin = await as(tenant.users.admin).post('/webhook-endpoints', { url: 'https://hooks.example.com/2' })
    const program = () => send(key.secret, 'get', '/locations')
    await program().expect(200)
    await close(tenant).expect(201)
    await program().expect(401)
    const disabled = { status: 'disabled', disabledReason: 'organizationClosed' }
    expect((await owner.get(hook['@id'])).body).toMatchObject(disabled)
    const own = { organizationId: tenant.organization.id }
    const { id } = await database.manager.findOneByOrFail(OrganizationUser, { ...own, userId: tenant.users.admin.id })
    await as(tenant.users.admin).delete(`/organization-users/${id}`).expect(204)
    await reopen(tenant).expect(201)
    await program().expect(200)
    expect((await owner.get(hook['@id'])).body).toMatchObject({ status: 'active', disabledReason: null })
    const left = await database.manager.findOneByOrFail(WebhookEndpoint, { ...own, id: ofAdmin.body.id })
    expect(left).toMatchObject({ enabled: false, disabledReason: 'creatorLeft' })
  })

  test('is told to every owner by a mail that is sent at once', async () => {
    const tenant = await foundTenant('Told', 'told')
    await database.manager.update(User, { id: tenant.users.owner.id }, { email: 'olga@told.example' })
    await close(tenant).expect(201)
    const mail = () => database.manager.findOneByOrFail(OutgoingMail, { recipient: 'olga@told.example' })
    const { id, subject, text } = await mail()
    expect([subject, text]).toEqual(['Told is gesloten', expect.stringContaining('POST /organizations/reopen')])
    await jobs.sendMail({ mail: id })
    expect((await mail()).status).toBe('sent')
  })
})

describe('reopening', () => {
  test('is for owners, ends the grace period and is audited', async () => {
    const tenant = await foundTenant('Back', 'back')
    await reopen(tenant).expect(200)
    await close(tenant).expect(201)
    for (const user of [tenant.users.admin, tenant.users.member, operator]) await reopen(tenant, user).expect(403)
    const { body } = await reopen(tenant).expect(201)
    expect(body).toMatchObject({ status: 'active', deleteAt: null })
    await reopen(tenant).expect(200)
    expect(await eventsOf(body['@id'], 'organization.reopen')).toHaveLength(1)
    await as(tenant.users.owner).post('/locations', { name: 'Again' }).expect(201)
    await jobs.deleteOrganization({ organization: tenant.organization.id })
    expect((await rowOf(tenant)).deletedAt).toBeNull()
  })

  test('continues a set-up that the closing has interrupted', async () => {
    const tenant = await foundTenant('Half', 'half', {
      status: 'provisioning',
      databaseStatus: [{ name: 'modules', status: 'pending', updatedAt: new Date().toISOString() }],
    })
    await close(tenant).expect(201)
    expect((await reopen(tenant).expect(201)).body.status).toBe('provisioning')
    await jobs.provisionOrganization({ organization: tenant.organization.id })
    expect((await rowOf(tenant)).status).toBe('active')
  })

  test('counts against the number of organizations that a person may own', async () => {
    const tenant = await foundTenant('Eleventh', 'eleventh')
    await close(tenant).expect(201)
    const mine = { userId: tenant.users.owner.id, name: 'x', role: 'owner' as const }
    for (let n = 0; n < 10; n++) {
      const { organization } = await foundTenant('Other', `eleventh-${n}`)
      await given(OrganizationUser, { ...mine, organizationId: organization.id })
    }
    const claiming = as(tenant.users.owner, { organization: tenant.organization.id })
    await claiming.post('/organizations/reopen').expect(409)
  })

  test('by the operator ends the grace period, too', async () => {
    const tenant = await foundTenant('Saved', 'saved')
    await close(tenant).expect(201)
    const path = `/organizations/${tenant.organization.id}`
    const { body } = await as(operator).patch(path, { status: 'active' }).expect(200)
    expect(body.deleteAt).toBeNull()
  })
})

describe('the deletion', () => {
  test('leaves only a row without names and three kinds of events, and no other organization loses a row', async () => {
    const { tenant, api, address, card } = await payingCustomer()
    const { id, slug } = tenant.organization
    const bought = { organizationAddress: `/organization-addresses/${address.id}`, paymentMethod: card, seats: 3 }
    await api.post('/subscriptions', bought).expect(201)
    const customer = (await rowOf(tenant)).stripeCustomerId as string
    await database.manager.delete(Subscription, { organizationId: id })
    await rowsOf(tenant)
    const logo = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'navy' } })
      .png()
      .toBuffer()
    await api.post('/organizations/logo').attach('file', logo, 'l.png').expect(201)
    const { logoId } = await rowOf(tenant)
    await database.manager.update(User, { id: tenant.users.owner.id }, { email: 'olga@deleted.example' })
    await givenInSharedTables(tenant, customer)
    const others = await counts(elsewhere.organization.id)

    expect(await expired(tenant)).toBe(id)
    const full = await counts(id)
    expect(Object.keys(full).filter((table) => full[table] === 0)).toEqual([])
    await jobs.deleteClosed()
    expect(await waitingJobs(id)).toContain('deleteOrganization')
    await jobs.deleteOrganization({ organization: id })

    const left = Object.fromEntries(Object.entries(await counts(id)).filter(([, rows]) => rows > 0))
    expect(left).toEqual({ organization: 1, audit_event: 2, row_total: expect.any(Number) })
    expect(await counts(elsewhere.organization.id)).toEqual(others)
    expect(await rowOf(tenant)).toMatchObject({
      ...{ name: 'Deleted organization', status: 'closed', deleteAt: null, deletedAt: expect.any(Date) },
      ...{ stripeCustomerId: null, logoId: null, slug: `deleted-${id.replaceAll('-', '')}` },
    })
    expect(await eventsOf(`/organizations/${id}`, 'organization.delete')).toMatchObject([
      { actorId: null, changes: { stripeCustomerId: [customer, null] } },
    ])
    const total = await database.query(
      `SELECT sum("delta")::int AS "sum" FROM "row_total" WHERE "organizationId" = $1 AND "relation" = 'audit_event'`,
      [id],
    )
    expect(total).toEqual([{ sum: 2 }])

    expect(await database.manager.existsBy(Image, { id: logoId as string })).toBe(false)
    expect(await billing.listLiveSubscriptions(customer)).toEqual([])
    expect((await billing.stripe.customers.listPaymentMethods(customer)).data).toEqual([])
    expect(await waitingJobs(id)).toEqual([])
    await expectForgotten(tenant, customer, slug)
    await api.get('/locations').expect(403)
    await as(operator).patch(`/organizations/${id}`, { status: 'active' }).expect(409)
  })

  test('continues after a crash in any step, and finds nothing to do when it runs again', async () => {
    const tenant = await foundTenant('Killed', 'killed')
    await rowsOf(tenant)
    const id = await expired(tenant)
    // The table before the last: its rows are left when the job fails, and those of others are gone.
    await database.query(
      `CREATE FUNCTION "stumble"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stumbled'; END $$`,
    )
    await database.query(`CREATE TRIGGER "stumbles" BEFORE DELETE ON "employee" EXECUTE FUNCTION "stumble"()`)
    try {
      await expect(jobs.deleteOrganization({ organization: id })).rejects.toThrow('stumbled')
    } finally {
      await database.query(`DROP FUNCTION "stumble" CASCADE`)
    }
    expect(await counts(id)).toMatchObject({ meeting: 0, employee: 1, organization_user: 3 })
    await reopen(tenant).expect(409)
    await Promise.all([1, 2].map(() => jobs.deleteOrganization({ organization: id })))
    expect(await counts(id)).toMatchObject({ employee: 0, organization_user: 0, audit_event: 2 })
    const after = await rowOf(tenant)
    await jobs.deleteOrganization({ organization: id })
    expect(await rowOf(tenant)).toEqual(after)
  })

  test('does not begin before the end of the grace period, nor for an organization that the operator has closed', async () => {
    const [early, other] = [await foundTenant('Early', 'early'), await foundTenant('Shut', 'shut-by-operator')]
    await close(early).expect(201)
    await as(operator).patch(`/organizations/${other.organization.id}`, { status: 'closed' }).expect(200)
    await jobs.deleteClosed()
    for (const { organization } of [early, other]) {
      expect(await waitingJobs(organization.id)).not.toContain('deleteOrganization')
      await jobs.deleteOrganization({ organization: organization.id })
      expect((await counts(organization.id)).organization_user).toBe(3)
    }
  })

  test('alone may remove events of the audit log, and only those of the organization that it names', async () => {
    const { id } = elsewhere.organization
    await given(AuditEvent, { organizationId: id, action: 'test', target: '/' })
    const remove = (named: string) =>
      TenantScope.every.view(served).transaction(async (manager) => {
        await manager.query(`SET LOCAL "app.deleted_organization" = '${named}'`)
        await manager.query('DELETE FROM "audit_event" WHERE "organizationId" = $1', [id])
      })
    for (const named of ['', operator.id]) await expect(remove(named)).rejects.toThrow('only ever added to')
    await expect(
      TenantScope.every.view(served).query(`UPDATE "audit_event" SET "action" = 'x' WHERE "organizationId" = $1`, [id]),
    ).rejects.toThrow('only ever added to')
  })
})
