import sharp from 'sharp'
import { auditActions } from '../../../entities/audit-actions.ts'
import {
  AuditEvent,
  Employee,
  OrganizationConfig,
  OrganizationUser,
  OutgoingMail,
  User,
} from '../../../entities/index.ts'
import { api as table } from '../../../src/api.ts'
import { tokenIn } from '../../support/mail.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { morning, openWorld } from '../../support/world.ts'

const { as, database, foundTenant, given, givenAddress, operator, person, tenant } = await openWorld()

const demo = await foundTenant('Audited', 'audited', { demo: true })
const closed = await foundTenant('Closed', 'closed')
const rows = await rowsOf(demo)
const owner = as(demo.users.owner)
const own = { organizationId: demo.organization.id }
const at = (name: string) => {
  const paths: Record<string, string> = {
    Organization: 'organizations',
    OrganizationUser: 'organization-users',
    OrganizationUserInvitation: 'organization-user-invitations',
    Employee: 'employees',
    ApiKey: 'api-keys',
    WebhookEndpoint: 'webhook-endpoints',
  }
  return `/${paths[name]}/${rows[name].id}`
}
const square = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
  .png()
  .toBuffer()
const street = { kind: 'postal', name: 'Post', street: 'Dam', city: 'Amsterdam', country: '/countries/NL' }
const config = await database.manager.findOneByOrFail(OrganizationConfig, { ...own, key: 'currency' })
const spare = await givenAddress({ ...own, kind: 'visiting' })
const left = await given(Employee, { ...own, name: 'Left' })
const email = 'newcomer@example.com'
const newcomer = Object.assign(new User(), { subject: 'newcomer' })
const tokenTo = async (recipient: string) =>
  tokenIn((await database.manager.findOneByOrFail(OutgoingMail, { recipient })).text as string)
const subscription = `/subscriptions/${rows.Subscription.id}`

/** Audited operations: they destroy, bill, or change rights or settings. A request runs the operation, or another test does. */
const auditedOperations: [
  operation: string,
  action: string,
  run: (() => PromiseLike<{ status: number }>) | 'at Stripe' | 'at the bank' | 'with the ends of memberships',
][] = [
  [
    'POST /organizations',
    'organization.create',
    () => as(Object.assign(new User(), { subject: 'new' })).post('/organizations', { name: 'New' }),
  ],
  [
    'PATCH /organizations/:id',
    'organization.update',
    () => as(operator).patch(at('Organization'), { productionLike: false }),
  ],
  [
    'POST /organizations/icon',
    'organization.uploadIcon',
    () => owner.post('/organizations/icon').attach('file', square, 'i.png'),
  ],
  [
    'POST /organizations/logo',
    'organization.uploadLogo',
    () => owner.post('/organizations/logo').attach('file', square, 'l.png'),
  ],
  ['POST /organizations/export', 'organization.export', () => owner.post('/organizations/export')],
  [
    'POST /organizations/close',
    'organization.close',
    () => as(closed.users.owner).post('/organizations/close', { confirm: 'closed' }),
  ],
  ['POST /organizations/reopen', 'organization.reopen', () => as(closed.users.owner).post('/organizations/reopen')],
  ['DELETE /organizations/icon', 'organization.removeIcon', () => owner.delete('/organizations/icon')],
  ['DELETE /organizations/logo', 'organization.removeLogo', () => owner.delete('/organizations/logo')],
  [
    'PATCH /organizations/mail-footer',
    'mailFooter.update',
    () => owner.patch('/organizations/mail-footer', { mailFooter: '<p>a</p>' }),
  ],
  [
    'PATCH /organization-configs/:id',
    'organizationConfig.update',
    () => owner.patch(`/organization-configs/${config.id}`, { value: 'USD' }),
  ],
  ['POST /organization-addresses', 'organizationAddress.create', () => owner.post('/organization-addresses', street)],
  [
    'PATCH /organization-addresses/:id',
    'organizationAddress.update',
    () => owner.patch(`/organization-addresses/${spare.id}`, { city: 'Breda' }),
  ],
  [
    'DELETE /organization-addresses/:id',
    'organizationAddress.remove',
    () => owner.delete(`/organization-addresses/${spare.id}`),
  ],
  [
    'POST /employees',
    'employee.create',
    () => owner.post('/employees', { name: 'Eve', user: `/users/${demo.users.admin.id}` }),
  ],
  ['PATCH /employees/:id', 'employee.update', () => owner.patch(at('Employee'), { user: null })],
  ['POST /employees/:id/erase', 'employee.erase', () => owner.post(`/employees/${left.id}/erase`, { confirm: 'Left' })],
  [
    'PATCH /organization-users/:id',
    'organizationUser.update',
    () => owner.patch(`/organization-users/${rows.Colleague.id}`, { role: 'admin' }),
  ],
  [
    'DELETE /organization-users/:id',
    'organizationUser.remove',
    () => owner.delete(`/organization-users/${rows.Colleague.id}`),
  ],
  [
    'POST /organization-user-invitations',
    'organizationUserInvitation.create',
    () => owner.post('/organization-user-invitations', { email }),
  ],
  [
    'POST /organization-user-invitations/accept',
    'organizationUserInvitation.accept',
    async () => as(newcomer).post('/organization-user-invitations/accept', { token: await tokenTo(email) }),
  ],
  [
    'POST /organization-user-invitations/:id/resend',
    'organizationUserInvitation.resend',
    () => owner.post(`${at('OrganizationUserInvitation')}/resend`),
  ],
  [
    'DELETE /organization-user-invitations/:id',
    'organizationUserInvitation.revoke',
    () => owner.delete(at('OrganizationUserInvitation')),
  ],
  ['POST /api-keys', 'apiKey.create', () => owner.post('/api-keys', { name: 'Report' })],
  ['PATCH /api-keys/:id', 'apiKey.update', () => owner.patch(at('ApiKey'), { name: 'Weekly report' })],
  ['DELETE /api-keys/:id', 'apiKey.revoke', () => owner.delete(at('ApiKey'))],
  [
    'POST /webhook-endpoints',
    'webhookEndpoint.create',
    () => owner.post('/webhook-endpoints', { url: 'https://hooks.example.com/' }),
  ],
  [
    'PATCH /webhook-endpoints/:id',
    'webhookEndpoint.update',
    () => owner.patch(at('WebhookEndpoint'), { events: ['invoice.pay'] }),
  ],
  [
    'POST /webhook-endpoints/:id/renew-secret',
    'webhookEndpoint.renewSecret',
    () => owner.post(`${at('WebhookEndpoint')}/renew-secret`),
  ],
  ['DELETE /webhook-endpoints/:id', 'webhookEndpoint.remove', () => owner.delete(at('WebhookEndpoint'))],
  ['POST /subscriptions/:id/confirm', 'subscription.confirm', () => as(operator).post(`${subscription}/confirm`)],
  ['PATCH /subscriptions/:id', 'subscription.update', () => owner.patch(subscription, { seats: 9 })],
  [
    'POST /subscriptions/:id/cancel',
    'subscription.cancel',
    () => owner.post(`${subscription}/cancel`, { immediately: true }),
  ],
  ['POST /subscriptions', 'subscription.create', () => owner.post('/subscriptions', { seats: 9 })],
  ['POST /organizations/clear', 'organization.clear', () => owner.post('/organizations/clear', { confirm: 'audited' })],
  ['POST /users/me/erase', 'user.erase', 'with the ends of memberships'],
  ['POST /subscriptions/apply-coupon', 'subscription.applyCoupon', 'at Stripe'],
  ['POST /subscriptions/clear-coupon', 'subscription.clearCoupon', 'at Stripe'],
  ['POST /payment-methods', 'paymentMethod.create', 'at Stripe'],
  ['POST /invoices/:id/pay', 'invoice.pay', 'at Stripe'],
  ['POST /integrations/kontomatik/setup', 'integration.setup', 'at the bank'],
  ['POST /integrations/kontomatik/pull', 'integration.pull', 'at the bank'],
  ['POST /integrations/kontomatik/revoke', 'integration.revoke', 'at the bank'],
  ['DELETE /payment-methods/:id', 'paymentMethod.remove', 'at Stripe'],
]

/** Operations without an audit event: daily work, which can be repeated, and operations that change nothing here. */
const exemptOperations = [
  ...['POST /locations', 'PATCH /locations/:id', 'POST /languages', 'POST /meetings', 'PATCH /meetings/:id'],
  'POST /payment-methods/setup',
  'PATCH /users/me',
  ...['POST /webhook-deliveries/test', 'POST /webhook-deliveries/:id/resend'],
]

rows.Colleague = await given(OrganizationUser, {
  ...own,
  user: await person('colleague'),
  name: 'colleague',
  role: 'member',
})

const eventsOf = () => database.manager.find(AuditEvent, { order: { id: 'DESC' } })

test('every operation that writes is either audited or exempt', () => {
  const writing = table({} as never, {} as never, {} as never).flatMap(({ path, operations }) =>
    operations
      .filter(({ method }) => method !== 'GET')
      .map((operation) => `${operation.method} ${path}${operation.path}`),
  )
  expect(writing.sort()).toEqual([...auditedOperations.map(([operation]) => operation), ...exemptOperations].sort())
})

test('an endpoint of webhooks can name the event of each operation', () => {
  for (const [, action] of auditedOperations) expect(auditActions).toContain(action)
})

test.each(auditedOperations.filter(([, , run]) => typeof run === 'function'))(
  '%s leaves "%s"',
  async (operation, action, run) => {
    const before = await eventsOf()
    const { status } = await (run as () => PromiseLike<{ status: number }>)()
    expect([operation, status < 300]).toEqual([operation, true])
    const [event, ...others] = await eventsOf()
    expect(others.map(({ id }) => id)).toEqual(before.map(({ id }) => id))
    expect(event).toMatchObject({ action, actorId: expect.any(String) })
    expect(Date.now() - event.at.getTime()).toBeLessThan(10_000)
    expect(Object.keys(event.changes)).not.toEqual([])
    for (const [from, to] of Object.values(event.changes)) expect(from).not.toEqual(to)
    expect(event.target).toMatch(/^\/[a-z-]+\/[\w-]+$/)
  },
)

test('daily work, requests without a change and refused requests leave no event', async () => {
  const before = await eventsOf()
  await owner.post('/meetings', { employee: null, ...morning }).expect(201)
  await owner.post('/locations', { name: 'Office' }).expect(201)
  await owner.patch(at('Employee'), { name: 'Renamed' }).expect(200)
  await owner.patch(`/organization-configs/${config.id}`, { value: 'USD' }).expect(200)
  await owner.patch(`/organization-configs/${config.id}`, { value: 'no' }).expect(422)
  await owner.patch('/organizations/mail-footer', {}).expect(200)
  await owner.patch(at('Organization'), { name: demo.organization.name }).expect(200)
  await as(demo.users.member).patch(`/organization-configs/${config.id}`, { value: 'EUR' }).expect(403)
  await owner.delete(`/organization-addresses/${rows.OrganizationAddress.id}`).expect(409)
  expect(await eventsOf()).toEqual(before)
})

test('an event shows actor, action, time, before and after, to owners of its organization only', async () => {
  const { body } = await owner.get('/audit-events?action=organizationConfig.update')
  expect(body.totalItems).toBe(1)
  const [event] = body.member
  expect(event).toMatchObject({
    '@type': 'AuditEvent',
    name: `organizationConfig.update /organization-configs/${config.id}`,
    actor: `/users/${demo.users.owner.id}`,
    action: 'organizationConfig.update',
    target: `/organization-configs/${config.id}`,
    changes: { value: ['EUR', 'USD'] },
  })
  expect((await owner.get(event.actor)).status).toBe(200)
  expect((await owner.get(event.target)).status).toBe(200)
  expect((await owner.get(event['@id'])).status).toBe(200)
  for (const user of [demo.users.admin, demo.users.member, operator])
    expect((await as(user).get('/audit-events')).status).toBe(403)
  expect((await as(tenant.users.owner).get(event['@id'])).status).toBe(404)
  expect((await as(tenant.users.owner).get('/audit-events')).body.totalItems).toBe(0)
})

test('events of a creation or a removal hold all written values', async () => {
  const changesOf = async (action: string) => (await owner.get(`/audit-events?action=${action}`)).body.member[0].changes
  const { country: _, ...written } = street
  const made = Object.fromEntries(Object.entries(written).map(([name, value]) => [name, [null, value]]))
  expect(await changesOf('organizationAddress.create')).toEqual({ ...made, countryId: [null, 'NL'] })
  expect(await changesOf('organizationAddress.remove')).toMatchObject({
    city: ['Breda', null],
    kind: ['visiting', null],
  })
  expect(await changesOf('employee.update')).toEqual({ userId: [demo.users.member.id, null] })
})

test('events are filtered by actor, action, target and time', async () => {
  const total = async (query: string) => (await owner.get(`/audit-events?${query}`)).body.totalItems
  const all = await total('')
  expect(await total(`actor=/users/${operator.id}`)).toBe(2)
  expect(await total('exists[actor]=true')).toBe(all)
  expect(await total('action[]=organization.clear&action[]=organization.update')).toBe(2)
  expect(await total(`target=${subscription}`)).toBe(3)
  expect(await total(`target=${encodeURIComponent(subscription)}&action=subscription.cancel`)).toBe(1)
  const [{ at: last }] = (await owner.get('/audit-events?order[at]=desc')).body.member
  expect(await total(`at[after]=${last}&at[before]=${last}`)).toBeGreaterThan(0)
  expect(await total('at[strictly_after]=2999-01-01')).toBe(0)
  expect((await owner.get('/audit-events?at[after]=yesterday')).status).toBe(400)
})

test('events cannot be created, changed or removed by requests', async () => {
  const [event] = await eventsOf()
  for (const statement of [
    'UPDATE "audit_event" SET "action" = \'x\'',
    'DELETE FROM "audit_event"',
    'TRUNCATE "audit_event" CASCADE',
  ])
    await expect(database.query(statement)).rejects.toThrow('only ever added to')
  for (const method of ['post', 'patch', 'delete'] as const)
    expect((await owner[method](`/audit-events/${event.id}`)).status).toBe(405)
  expect((await owner.post('/audit-events', { action: 'x' })).status).toBe(405)
})

test('an operation fails where its event cannot be written', async () => {
  await database.query(`CREATE FUNCTION "forget"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no ink'; END $$`)
  await database.query(`CREATE TRIGGER "forgets" BEFORE INSERT ON "audit_event" EXECUTE FUNCTION "forget"()`)
  try {
    expect((await owner.patch(`/organization-configs/${config.id}`, { value: 'EUR' })).status).toBe(500)
    expect((await owner.patch(at('Organization'), { name: 'Unwritten' })).status).toBe(500)
    expect((await owner.post('/employees', { name: 'X', user: `/users/${demo.users.admin.id}` })).status).toBe(500)
  } finally {
    await database.query(`DROP FUNCTION "forget" CASCADE`)
  }
  expect((await owner.get(`/organization-configs/${config.id}`)).body.value).toBe('USD')
  expect((await owner.get(at('Organization'))).body.name).toBe('Audited')
  expect(await database.manager.countBy(Employee, { ...own, name: 'X' })).toBe(0)
})
