import { AuditEvent, Subscription } from '../../entities/index.ts'
import { customer, ownedBy } from '../support/billing/manual-billing.ts'
import { type Agent, openWorld } from '../support/world.ts'

const { as, database, given, operator } = await openWorld()

describe('an organization with billing by Stripe', () => {
  test('has no live subscription that Stripe does not know', async () => {
    for (const ask of [
      (api: Agent, path: string) => api.patch(path, { seats: 9 }),
      (api: Agent, path: string) => api.post(`${path}/cancel`),
      (api: Agent) => api.post('/subscriptions/apply-coupon', { code: 'SPRING' }),
      (api: Agent) => api.post('/subscriptions/clear-coupon'),
    ]) {
      const { api, tenant, address } = await customer({ manualBilling: false })
      const externalId = `sub_of_${tenant.organization.id}`
      const values = { ...ownedBy(tenant), organizationAddress: address, seats: 5, status: 'active', externalId }
      const path = `/subscriptions/${(await given(Subscription, values)).id}`
      const { status, body } = await ask(api, path)
      expect(status === 200 ? body.status : status).toBe(status === 200 ? 'canceled' : 409)
      expect((await api.get(path)).body).toMatchObject({ status: 'canceled', seats: 5 })
      const events = await database.manager.findBy(AuditEvent, ownedBy(tenant))
      expect(events.map(({ action }) => action)).toEqual(['subscription.follow'])
    }
  })

  test('has no subscription that the operator can confirm', async () => {
    const { tenant, address } = await customer({ manualBilling: false })
    const { id } = await given(Subscription, { ...ownedBy(tenant), organizationAddress: address, seats: 5 })
    expect((await as(operator).post(`/subscriptions/${id}/confirm`)).status).toBe(404)
  })
})

test.each([
  ['incomplete', false, true, true],
  ['incomplete_expired', false, false, false],
  ['trialing', true, false, true],
  ['active', true, false, true],
  ['past_due', true, false, true],
  ['unpaid', false, false, true],
  ['canceled', false, false, false],
  ['paused', false, false, true],
])(
  'a subscription with the status %s: active is %s, awaiting is %s, live is %s',
  async (status, active, awaiting, live) => {
    const { api, tenant, address } = await customer()
    const { id } = await given(Subscription, { ...ownedBy(tenant), organizationAddress: address, seats: 5, status })
    const { body } = await api.get(`/subscriptions/${id}`)
    expect(body).toMatchObject({ status, active, awaiting })
    expect('cancel' in body).toBe(live)
    const { currentSubscription } = (await api.get(`/organizations/${tenant.organization.id}`)).body
    expect(currentSubscription).toBe(live ? `/subscriptions/${id}` : null)
    expect((await api.post('/subscriptions')).status).toBe(live ? 409 : 201)
  },
)
