import { AuditEvent } from '../../../entities/index.ts'
import { payingCustomer } from '../../support/billing/billing.ts'
import { customerIdOf, dashboard } from '../../support/billing/stripe.ts'
import { jobs } from '../../support/jobs.ts'
import { openWorld } from '../../support/world.ts'

const { database, stripe } = await openWorld()

afterEach(() => stripe.clearFaults())

/** An organization that Stripe charged twice: it created a subscription in spite of its error, and listed it late. */
async function chargedTwice() {
  const subscriber = await payingCustomer()
  stripe.fault({ kind: 'status', status: 500, late: true, method: 'POST', path: '/v1/subscriptions' })
  stripe.fault({ kind: 'behind', method: 'GET', path: '/v1/subscriptions', times: 9 })
  expect((await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card, seats: 3 })).status).toBe(201)
  stripe.clearFaults()
  const customer = await customerIdOf(subscriber)
  const { data } = await dashboard.subscriptions.list({ customer })
  expect(data).toHaveLength(2)
  const [duplicate, kept] = data
  const sync = () => jobs.followCustomer({ customer })
  const changes = async () => {
    const own = { organizationId: subscriber.tenant.organization.id, action: 'subscription.endDuplicate' }
    return (await database.manager.findBy(AuditEvent, own)).map((event) => event.changes)
  }
  return { kept, duplicate, sync, changes }
}

async function paymentOf({ id: subscription }: { id: string }): Promise<string> {
  const [{ id: invoice }] = (await dashboard.invoices.list({ subscription })).data
  const [{ payment }] = (await dashboard.invoicePayments.list({ invoice })).data
  return payment.payment_intent as string
}

const refundsOf = async (subscription: { id: string }) =>
  (await dashboard.refunds.list({ payment_intent: await paymentOf(subscription) })).data.map(({ amount, reason }) => ({
    amount,
    reason,
  }))

const statusOf = async ({ id }: { id: string }) => (await dashboard.subscriptions.retrieve(id)).status

test('the payment of a duplicate is refunded once, and that of the kept subscription is not', async () => {
  const { duplicate, kept, sync, changes } = await chargedTwice()
  await sync()
  await sync()
  expect(await refundsOf(duplicate)).toEqual([{ amount: 3600, reason: 'duplicate' }])
  expect(await refundsOf(kept)).toEqual([])
  expect([await statusOf(duplicate), await statusOf(kept)]).toEqual(['canceled', 'active'])
  expect(await changes()).toEqual([{ externalId: [duplicate.id, kept.id], refunded: [null, 3600] }])
})

test.each([
  ['before the refund', { kind: 'cut', method: 'POST', path: '/v1/refunds' }],
  ['between the refund and its response', { kind: 'lost', method: 'POST', path: '/v1/refunds' }],
  ['between the refund and the cancellation', { kind: 'cut', method: 'DELETE', path: '/v1/subscriptions' }],
] as const)('a sync that is interrupted %s is repeated, and refunds once', async (_, fault) => {
  const { duplicate, sync, changes } = await chargedTwice()
  stripe.fault({ ...fault, times: 9 })
  await sync()
  expect([await statusOf(duplicate), await changes()]).toEqual(['active', []])
  stripe.clearFaults()
  await sync()
  expect(await refundsOf(duplicate)).toEqual([{ amount: 3600, reason: 'duplicate' }])
  expect(await statusOf(duplicate)).toBe('canceled')
  expect(await changes()).toMatchObject([{ refunded: [null, 3600] }])
})

test('a payment that the operator has refunded at Stripe is not refunded again', async () => {
  const { duplicate, sync, changes } = await chargedTwice()
  await dashboard.refunds.create({ payment_intent: await paymentOf(duplicate) })
  await sync()
  expect(await refundsOf(duplicate)).toHaveLength(1)
  expect(await statusOf(duplicate)).toBe('canceled')
  expect(await changes()).toMatchObject([{ refunded: [null, 3600] }])
})

test('a duplicate whose refund Stripe refuses is ended all the same, and the audit log says why', async () => {
  const { duplicate, sync, changes } = await chargedTwice()
  const error = { type: 'invalid_request_error', code: 'charge_disputed', message: 'The charge has been charged back.' }
  stripe.fault({
    kind: 'nonsense',
    status: 400,
    method: 'POST',
    path: '/v1/refunds',
    body: JSON.stringify({ error }),
    times: 2,
  })
  await sync()
  expect(await statusOf(duplicate)).toBe('canceled')
  expect(await changes()).toMatchObject([{ refundRefused: [null, [error.message]] }])
})
