import { addInterval } from '../../../../src/emulators/stripe/objects/clock.ts'
import { refusal } from '../local-client.ts'
import { invoicesOf, local, price, renew, seats, statusOf, stripe, subscribed } from './customers.ts'

test('it renews, month by month', async () => {
  const subscription = await subscribed()
  local.advance({ days: 63 })
  const invoices = await invoicesOf(subscription)

  expect(invoices.map(({ status, billing_reason }) => [status, billing_reason])).toEqual([
    ['paid', 'subscription_cycle'],
    ['paid', 'subscription_cycle'],
    ['paid', 'subscription_create'],
  ])
  expect((await stripe.subscriptions.retrieve(subscription.id)).items.data[0].current_period_end).toBeGreaterThan(
    local.now(),
  )
})

test('a renewal that fails is past due, and paid again it is active', async () => {
  const subscription = await subscribed()
  local.decline(subscription.owner.method, 'insufficient_funds')
  renew(subscription)
  const late = await statusOf(subscription)
  const [invoice] = await invoicesOf(subscription)
  const failed = await refusal(stripe.invoices.pay(invoice.id))
  local.decline(subscription.owner.method, null)
  await stripe.invoices.pay(invoice.id)

  expect(late).toBe('past_due')
  expect(invoice).toMatchObject({ status: 'open', attempt_count: 1 })
  expect(invoice.next_payment_attempt).toBeGreaterThan(local.now())
  expect(failed).toMatchObject({ statusCode: 402, decline_code: 'insufficient_funds' })
  expect(await statusOf(subscription)).toBe('active')
})

test('after the last attempt it is unpaid, and its invoices stay drafts', async () => {
  const subscription = await subscribed()
  local.decline(subscription.owner.method, 'insufficient_funds')
  local.advance({ days: 50 })
  const status = await statusOf(subscription)
  local.advance({ days: 20 })
  const [draft, open] = await invoicesOf(subscription)

  expect(status).toBe('unpaid')
  expect(open).toMatchObject({ status: 'open', attempt_count: 4, next_payment_attempt: null })
  expect(draft).toMatchObject({ status: 'draft', number: null, hosted_invoice_url: null, invoice_pdf: null })
})

test('after the last attempt it is canceled where the account says so', async () => {
  const subscription = await subscribed()
  local.decline(subscription.owner.method, 'insufficient_funds')
  local.setStatusAfterRetries('canceled')
  local.advance({ days: 50 })
  local.setStatusAfterRetries('unpaid')

  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'canceled',
    cancellation_details: { reason: 'payment_failed' },
  })
})

test('months and years go together, each with its own periods', async () => {
  const { id } = await subscribed({ items: [...seats(1), { price: price('module_banking_yearly') }] })
  local.advance({ days: 32 })
  const [renewal, first] = await invoicesOf({ id })

  expect([first.total, renewal.total]).toEqual([16_200, 1200])
  expect(
    await refusal(
      subscribed({
        items: [...seats(1), { price: price('module_banking_yearly') }],
        billing_mode: { type: 'classic' },
      }),
    ),
  ).toMatchObject({ statusCode: 400 })
})

test('periods that begin on the last day of January end on the last day of later months', () => {
  const ends = (start: string, count: number) =>
    new Date(addInterval(Date.parse(start) / 1000, 'month', count) * 1000).toISOString().slice(0, 10)

  expect([1, 2, 3].map((count) => ends('2027-01-31T12:00:00Z', count))).toEqual([
    '2027-02-28',
    '2027-03-31',
    '2027-04-30',
  ])
})
