import Stripe from 'stripe'
import { after } from '../../src/billing/local/clock.ts'
import { startLocalStripe } from '../../src/billing/local/server.ts'

const local = await startLocalStripe()
const stripe = new Stripe(local.secretKey, {
  host: '127.0.0.1',
  port: Number(new URL(local.url).port),
  protocol: 'http',
  telemetry: false,
  maxNetworkRetries: 0,
})
afterAll(() => local.stop())

const prices = new Map((await stripe.prices.list({ limit: 100 })).data.map(({ id, lookup_key }) => [lookup_key, id]))
const price = (key: string) => prices.get(key) as string
const seats = (quantity: number) => [{ price: price('seat_monthly'), quantity }]

type Terms = Partial<Stripe.SubscriptionCreateParams>

/** A customer with a card, or with none. */
async function customer(card: string | null = 'pm_card_visa') {
  const { id } = await stripe.customers.create({ name: 'Ada' })
  const method = card && (await stripe.paymentMethods.attach(card, { customer: id })).id
  if (method) await stripe.customers.update(id, { invoice_settings: { default_payment_method: method } })
  return { id, method: method ?? '' }
}

async function subscribed(terms: Terms = {}, card: string | null = 'pm_card_visa') {
  const owner = await customer(card)
  const subscription = await stripe.subscriptions.create({ customer: owner.id, items: seats(3), ...terms })
  return { ...subscription, owner }
}

const statusOf = async ({ id }: { id: string }) => (await stripe.subscriptions.retrieve(id)).status
const invoicesOf = async ({ id }: { id: string }) => (await stripe.invoices.list({ subscription: id })).data
const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => {
      throw new Error('It was not refused.')
    },
    (error: Stripe.errors.StripeError) => error,
  )

/** As Stripe.js does it, with the key for browsers. */
async function confirm(secret: string, method?: string) {
  const answer = await fetch(`${local.url}/v1/payment_intents/${secret.split('_secret_')[0]}/confirm`, {
    method: 'POST',
    headers: { authorization: `Bearer ${local.publishableKey}` },
    body: new URLSearchParams({ client_secret: secret, ...(method && { payment_method: method }) }),
  })
  return { status: answer.status, body: (await answer.json()) as Stripe.PaymentIntent }
}

async function secretOf({ id }: { id: string }) {
  const { latest_invoice } = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice.confirmation_secret'] })
  return (latest_invoice as Stripe.Invoice).confirmation_secret?.client_secret ?? ''
}

test('with a good card a subscription is active, and its invoice paid', async () => {
  const subscription = await subscribed()
  const [invoice] = await invoicesOf(subscription)

  expect(subscription.status).toBe('active')
  expect(invoice).toMatchObject({
    status: 'paid',
    total: 3600,
    amount_paid: 3600,
    amount_remaining: 0,
    currency: 'eur',
  })
  expect(invoice.number).toMatch(/^[A-Z0-9]{8}-0001$/)
  expect((await stripe.invoicePayments.list({ invoice: invoice.id })).data).toMatchObject([{ status: 'paid' }])
})

test('without a card it is incomplete until somebody pays, and the card is kept', async () => {
  const subscription = await subscribed(
    {
      payment_behavior: 'default_incomplete',
      payment_settings: { save_default_payment_method: 'on_subscription' },
    },
    null,
  )
  const declined = await confirm(await secretOf(subscription), 'pm_card_chargeDeclined')
  const before = await statusOf(subscription)
  const paid = await confirm(await secretOf(subscription), 'pm_card_visa')

  expect(subscription.status).toBe('incomplete')
  expect(declined).toMatchObject({ status: 402, body: { error: { code: 'card_declined' } } })
  expect(before).toBe('incomplete')
  expect(paid.body.status).toBe('succeeded')
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'active',
    default_payment_method: paid.body.payment_method,
  })
})

test('without a card nothing is made that would have to be paid at once', async () => {
  expect(await refusal(subscribed({}, null))).toMatchObject({
    statusCode: 400,
    code: 'resource_missing',
    message: expect.stringContaining('no attached payment source'),
  })
})

test('a card that declines leaves it incomplete, and after 23 hours expired', async () => {
  const subscription = await subscribed({}, 'pm_card_chargeCustomerFail')
  local.advance({ hours: 24 })

  expect(subscription.status).toBe('incomplete')
  expect(await statusOf(subscription)).toBe('incomplete_expired')
  expect(await invoicesOf(subscription)).toMatchObject([{ status: 'void' }])
})

test('or nothing at all, when an error was preferred', async () => {
  const owner = await customer('pm_card_chargeCustomerFail')
  const error = await refusal(
    stripe.subscriptions.create({ customer: owner.id, items: seats(1), payment_behavior: 'error_if_incomplete' }),
  )

  expect(error).toMatchObject({ type: 'StripeCardError', statusCode: 402, decline_code: 'generic_decline' })
  expect((await stripe.subscriptions.list({ customer: owner.id, status: 'all' })).data).toEqual([])
  expect((await stripe.invoices.list({ customer: owner.id })).data).toEqual([])
})

test('a card whose holder is to be asked waits for the answer', async () => {
  const subscription = await subscribed({}, 'pm_card_authenticationRequired')
  const secret = await secretOf(subscription)
  const intent = await stripe.paymentIntents.retrieve(secret.split('_secret_')[0])
  const paid = await confirm(secret)

  expect([subscription.status, intent.status, paid.body.status]).toEqual(['incomplete', 'requires_action', 'succeeded'])
  expect(await statusOf(subscription)).toBe('active')
})

test.each([
  ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
  ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
  ['pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
])('%s is not even attached', async (card, code, decline_code) => {
  expect(await refusal(customer(card))).toMatchObject({ statusCode: 402, type: 'StripeCardError', code, decline_code })
})

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
  local.advance({ days: 32 })
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

test('or it is canceled, where the account says so', async () => {
  const subscription = await subscribed()
  local.decline(subscription.owner.method, 'insufficient_funds')
  local.afterRetries('canceled')
  local.advance({ days: 50 })
  local.afterRetries('unpaid')

  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: 'canceled',
    cancellation_details: { reason: 'payment_failed' },
  })
})

test('a trial costs nothing until it ends', async () => {
  const subscription = await subscribed({ trial_period_days: 14 })
  const [first] = await invoicesOf(subscription)
  local.advance({ days: 15 })
  const [invoice] = await invoicesOf(subscription)

  expect([subscription.status, first.total, first.status]).toEqual(['trialing', 0, 'paid'])
  expect([await statusOf(subscription), invoice.total, invoice.status]).toEqual(['active', 3600, 'paid'])
})

test('a trial without a card ends in a pause, which a card and resuming end', async () => {
  const subscription = await subscribed(
    { trial_period_days: 14, trial_settings: { end_behavior: { missing_payment_method: 'pause' } } },
    null,
  )
  local.advance({ days: 15 })
  const paused = await statusOf(subscription)
  const { id: method } = await stripe.paymentMethods.attach('pm_card_visa', { customer: subscription.owner.id })
  await stripe.subscriptions.update(subscription.id, { default_payment_method: method })
  await stripe.subscriptions.resume(subscription.id)

  expect([paused, await statusOf(subscription)]).toEqual(['paused', 'active'])
})

test('or it ends the subscription, or leaves it past due', async () => {
  const ends = (missing_payment_method: 'cancel' | 'create_invoice') =>
    subscribed({ trial_period_days: 1, trial_settings: { end_behavior: { missing_payment_method } } }, null)
  const [canceled, late] = [await ends('cancel'), await ends('create_invoice')]
  local.advance({ days: 2 })

  expect([await statusOf(canceled), await statusOf(late)]).toEqual(['canceled', 'past_due'])
})

test('a trial can be ended now', async () => {
  const subscription = await subscribed({ trial_period_days: 14 })

  expect((await stripe.subscriptions.update(subscription.id, { trial_end: 'now' })).status).toBe('active')
})

test('an invoice that is sent is past due when it is overdue', async () => {
  const subscription = await subscribed({ collection_method: 'send_invoice', days_until_due: 10 }, null)
  local.advance({ days: 11 })
  const late = await statusOf(subscription)
  const [invoice] = await invoicesOf(subscription)
  const paid = await stripe.invoices.pay(invoice.id, { paid_out_of_band: true })

  expect([subscription.status, late, paid.status]).toEqual(['active', 'past_due', 'paid'])
  expect(await statusOf(subscription)).toBe('active')
})

test('it ends with its period when that was asked, unless that was taken back', async () => {
  const [ending, staying] = [await subscribed(), await subscribed()]
  const asked = await stripe.subscriptions.update(ending.id, { cancel_at_period_end: true })
  await stripe.subscriptions.update(staying.id, { cancel_at_period_end: true })
  await stripe.subscriptions.update(staying.id, { cancel_at_period_end: false })
  local.advance({ days: 32 })

  expect(asked).toMatchObject({ status: 'active', cancel_at: asked.items.data[0].current_period_end })
  expect([await statusOf(ending), await statusOf(staying)]).toEqual(['canceled', 'active'])
  expect(await invoicesOf(ending)).toHaveLength(1)
})

test('canceled at once it is over, is hidden from the list, and cannot be canceled again', async () => {
  const { id, owner } = await subscribed()
  const canceled = await stripe.subscriptions.cancel(id, { cancellation_details: { comment: 'Moved' } })

  expect(canceled).toMatchObject({ status: 'canceled', cancellation_details: { comment: 'Moved' } })
  expect((await stripe.subscriptions.list({ customer: owner.id })).data).toEqual([])
  expect((await stripe.subscriptions.list({ customer: owner.id, status: 'all' })).data).toHaveLength(1)
  expect(await refusal(stripe.subscriptions.cancel(id))).toMatchObject({ statusCode: 404, code: 'resource_missing' })
  expect((await refusal(stripe.subscriptions.update(id, { cancel_at_period_end: true }))).statusCode).toBe(400)
})

test('more seats in the middle of a period cost what is left of it, on the next invoice', async () => {
  const { id, items } = await subscribed()
  local.advance({ days: 15 })
  await stripe.subscriptions.update(id, { items: [{ id: items.data[0].id, quantity: 5 }] })
  const before = await invoicesOf({ id })
  local.advance({ days: 17 })
  const [invoice] = await invoicesOf({ id })
  const [unused, remaining, whole] = invoice.lines.data

  expect(before).toHaveLength(1)
  expect(unused.amount).toBeLessThan(0)
  expect(remaining.amount).toBeGreaterThan(-unused.amount)
  expect(remaining.parent?.subscription_item_details?.proration).toBe(true)
  expect(whole.amount).toBe(6000)
  expect(invoice.total).toBe(6000 + unused.amount + remaining.amount)
})

test('or on an invoice now, or nothing', async () => {
  const [now, never] = [await subscribed(), await subscribed()]
  const change = ({ items }: Stripe.Subscription) => [{ id: items.data[0].id, quantity: 5 }]
  local.advance({ days: 15 })
  await stripe.subscriptions.update(now.id, { items: change(now), proration_behavior: 'always_invoice' })
  await stripe.subscriptions.update(never.id, { items: change(never), proration_behavior: 'none' })
  const [invoice] = await invoicesOf(now)
  local.advance({ days: 17 })
  const [renewal] = await invoicesOf(never)

  expect(invoice).toMatchObject({ billing_reason: 'subscription_update', status: 'paid' })
  expect(invoice.total).toBeGreaterThan(1000)
  expect(invoice.total).toBeLessThan(1400)
  expect(renewal.total).toBe(6000)
})

test('modules come and go as items', async () => {
  const { id, items } = await subscribed({ items: [...seats(1), { price: price('module_banking_monthly') }] })
  const banking = items.data[1]
  const changed = await stripe.subscriptions.update(id, {
    items: [{ id: banking.id, deleted: true }, { price: price('module_planning_monthly') }],
  })

  expect(changed.items.data.map((item) => item.price.lookup_key)).toEqual(['seat_monthly', 'module_planning_monthly'])
  expect(await refusal(stripe.subscriptions.update(id, { items: [{ price: price('seat_monthly') }] }))).toMatchObject({
    statusCode: 400,
  })
  expect(await refusal(stripe.subscriptions.update(id, { items: [{ id: 'si_none', quantity: 2 }] }))).toMatchObject({
    code: 'resource_missing',
    param: 'items[0][id]',
  })
})

test('an update that is not paid for waits, and changes nothing until it is', async () => {
  const { id, items, owner } = await subscribed()
  local.decline(owner.method, 'insufficient_funds')
  const change = { items: [{ id: items.data[0].id, quantity: 9 }] }
  const waiting = await stripe.subscriptions.update(id, {
    ...change,
    payment_behavior: 'pending_if_incomplete',
    proration_behavior: 'always_invoice',
  })
  local.decline(owner.method, null)
  await stripe.invoices.pay(waiting.latest_invoice as string)
  const paid = await stripe.subscriptions.retrieve(id)

  expect(waiting).toMatchObject({ status: 'active', items: { data: [{ quantity: 3 }] } })
  expect(waiting.pending_update?.subscription_items?.[0].quantity).toBe(9)
  expect(paid).toMatchObject({ pending_update: null, items: { data: [{ quantity: 9 }] } })
})

test('of an incomplete one the items cannot be changed', async () => {
  const { id, items } = await subscribed({ payment_behavior: 'default_incomplete' })

  expect(
    await refusal(stripe.subscriptions.update(id, { items: [{ id: items.data[0].id, quantity: 2 }] })),
  ).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' })
})

test('a change from months to years begins a year at once, less what was paid', async () => {
  const { id, items } = await subscribed()
  local.advance({ days: 15 })
  const change = { items: [{ id: items.data[0].id, price: price('seat_yearly') }] }
  const { items: changed } = await stripe.subscriptions.update(id, change)
  const [invoice] = await invoicesOf({ id })
  const [item] = changed.data

  expect(invoice.status).toBe('paid')
  expect(invoice.lines.data.map(({ amount }) => amount)).toEqual([expect.any(Number), 36_000])
  expect(invoice.total).toBeLessThan(36_000)
  expect(item.current_period_end - item.current_period_start).toBeGreaterThanOrEqual(365 * 86_400)
})

test('what is given back lowers the invoices to come', async () => {
  const { id, items, owner } = await subscribed({ items: [{ price: price('seat_yearly'), quantity: 10 }] })
  await stripe.subscriptions.update(id, {
    items: [{ id: items.data[0].id, quantity: 1 }],
    proration_behavior: 'always_invoice',
  })
  const { balance } = (await stripe.customers.retrieve(owner.id)) as Stripe.Customer
  local.advance({ days: 366 })
  const [renewal] = await invoicesOf({ id })

  expect(balance).toBeLessThan(-100_000)
  expect(renewal).toMatchObject({ total: 12_000, amount_due: 0, status: 'paid', starting_balance: balance })
  expect(await stripe.customers.retrieve(owner.id)).toMatchObject({ balance: balance + 12_000 })
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

test('what began on the last day of January ends on the last day of the months after it', () => {
  const ends = (start: string, count: number) =>
    new Date(after(Date.parse(start) / 1000, 'month', count) * 1000).toISOString().slice(0, 10)

  expect([1, 2, 3].map((count) => ends('2027-01-31T12:00:00Z', count))).toEqual([
    '2027-02-28',
    '2027-03-31',
    '2027-04-30',
  ])
})

test('what renewing would cost can be asked beforehand, and changes nothing', async () => {
  const { id, latest_invoice } = await subscribed({ discounts: [{ coupon: 'LOYAL10' }] })
  const preview = await stripe.invoices.createPreview({ subscription: id })

  expect([preview.total, preview.number]).toEqual([3240, null])
  expect((await stripe.subscriptions.retrieve(id)).latest_invoice).toBe(latest_invoice)
})

test('a card can be saved without paying, for what is to be paid later', async () => {
  const { id } = await customer(null)
  const intent = await stripe.setupIntents.create({ customer: id })
  const saved = await stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })
  const asked = await stripe.setupIntents.create({ customer: id, payment_method: 'pm_card_authenticationRequired' })
  const asking = await stripe.setupIntents.confirm(asked.id)
  const answered = await stripe.setupIntents.confirm(asked.id)

  expect([intent.status, saved.status]).toEqual(['requires_payment_method', 'succeeded'])
  expect([asking.status, answered.status]).toEqual(['requires_action', 'succeeded'])
  expect((await stripe.paymentMethods.list({ customer: id })).data).toHaveLength(2)
})

test('the method of one customer does not pay for another', async () => {
  const [ada, bob] = [await customer(), await customer()]

  expect(
    await refusal(
      stripe.subscriptions.create({ customer: bob.id, items: seats(1), default_payment_method: ada.method }),
    ),
  ).toMatchObject({ statusCode: 400, code: 'resource_missing', param: 'default_payment_method' })
})

test('an invoice can be read, as text and as PDF, where it says', async () => {
  const { latest_invoice } = await subscribed()
  const { hosted_invoice_url, invoice_pdf, number } = await stripe.invoices.retrieve(latest_invoice as string)
  const [page, file] = await Promise.all([fetch(hosted_invoice_url as string), fetch(invoice_pdf as string)])

  expect(await page.text()).toContain(`Invoice ${number}: paid`)
  expect(await file.text()).toMatch(/^%PDF-/)
})
