import { Subscription } from '../../entities/index.ts'
import { customer, own } from '../world/by-hand.ts'
import { as, given, operator } from '../world/index.ts'

describe('an organization that pays through Stripe', () => {
  test('ends here a subscription that Stripe does not know, and says so', async () => {
    const { api, tenant, address } = await customer({ manualBilling: false })
    const values = { ...own(tenant), organizationAddress: address, seats: 5, status: 'active', externalId: 'sub_live' }
    const subscription = await given(Subscription, values)
    const path = `/subscriptions/${subscription.id}`
    const { body: before } = await api.get(path)
    expect(before).toMatchObject({ cancel: `${path}/cancel`, applyCoupon: '/subscriptions/apply-coupon' })

    const { status, body } = await api.patch(path, { seats: 9 })
    const detail = 'The subscription has ended at Stripe, so it cannot be changed. Create a new one.'
    expect([status, body.detail]).toEqual([409, detail])
    expect((await api.get(path)).body).toMatchObject({ seats: 5, status: 'canceled' })
    for (const asked of [
      await api.post('/subscriptions/apply-coupon', { code: 'SPRING' }),
      await api.post('/subscriptions/clear-coupon'),
    ])
      expect(asked.status).toBe(409)
  })

  test('is none whose subscription the operator confirms', async () => {
    const { tenant, address } = await customer({ manualBilling: false })
    const { id } = await given(Subscription, { ...own(tenant), organizationAddress: address, seats: 5 })
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
])('a subscription that is %s: active is %s, awaiting is %s, live is %s', async (status, active, awaiting, live) => {
  const { api, tenant, address } = await customer()
  const { id } = await given(Subscription, { ...own(tenant), organizationAddress: address, seats: 5, status })
  const { body } = await api.get(`/subscriptions/${id}`)
  expect(body).toMatchObject({ status, active, awaiting })
  expect('cancel' in body).toBe(live)
  const { currentSubscription } = (await api.get(`/organizations/${tenant.organization.id}`)).body
  expect(currentSubscription).toBe(live ? `/subscriptions/${id}` : null)
  expect((await api.post('/subscriptions')).status).toBe(live ? 409 : 201)
})
