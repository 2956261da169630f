import Stripe from 'stripe'
import { routes } from '../../../src/emulators/stripe/endpoints/routes.ts'
import { startLocalStripe } from '../../../src/emulators/stripe/server.ts'
import { answerFaults } from './published/answers.ts'

const local = await startLocalStripe({ webhookUrl: 'http://127.0.0.1:9/' })
local.deliveries.hold()
afterAll(() => local.stop())

type Answer = Record<string, unknown>

const answers: { what: string; status: number; body: Answer }[] = []

/** Stripe's client, with each answer kept as it came over the wire. */
const stripe = new Stripe(local.secretKey, {
  host: '127.0.0.1',
  port: Number(new URL(local.url).port),
  protocol: 'http',
  telemetry: false,
  maxNetworkRetries: 0,
  httpClient: Stripe.createFetchHttpClient(async (...[url, init]: Parameters<typeof fetch>) => {
    const response = await fetch(url, init)
    const { pathname } = new URL(`${url}`)
    answers.push({
      what: `${init?.method} ${pathname}`,
      status: response.status,
      body: (await response.clone().json()) as Answer,
    })
    return response
  }),
})

const refused = (asked: Promise<unknown>) => expect(asked).rejects.toThrow()

async function askEverything(): Promise<void> {
  const address = { line1: 'Damrak 1', city: 'Amsterdam', country: 'NL' }
  const shipping = { name: 'Subscriber', address }
  const subscriber = await stripe.customers.create({
    name: 'Subscriber',
    email: 'subscriber@example.com',
    address,
    shipping,
  })
  const customer = subscriber.id
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: card.id } })
  const spare = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
  await stripe.paymentMethods.attach(spare.id, { customer })
  await stripe.paymentMethods.update(spare.id, { metadata: { spare: 'yes' } })
  await stripe.paymentMethods.detach(spare.id)
  await stripe.paymentMethods.retrieve(card.id, { expand: ['customer'] })
  await stripe.paymentMethods.list({ customer })
  await stripe.customers.listPaymentMethods(customer)

  const product = await stripe.products.create({ name: 'Support' })
  await stripe.products.update(product.id, { description: 'By telephone' })
  await stripe.products.retrieve(product.id)
  await stripe.products.list()
  const recurring = { interval: 'month' } as const
  const price = await stripe.prices.create({ currency: 'eur', unit_amount: 100, product: product.id, recurring })
  await stripe.prices.update(price.id, { nickname: 'Support' })
  await stripe.prices.retrieve(price.id, { expand: ['product'] })
  const { data: prices } = await stripe.prices.list({ limit: 100 })
  const seat = prices.find(({ lookup_key }) => lookup_key === 'seat_monthly')?.id as string

  const off = await stripe.coupons.create({ percent_off: 10, duration: 'repeating', duration_in_months: 2 })
  await stripe.coupons.retrieve(off.id)
  await stripe.coupons.list()
  const code = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: off.id }, code: 'SHAPES' })
  await stripe.promotionCodes.retrieve(code.id, { expand: ['promotion.coupon'] })
  await stripe.promotionCodes.list({ code: 'SHAPES' })

  const trial = { trial_settings: { end_behavior: { missing_payment_method: 'pause' } }, trial_period_days: 9 } as const
  const poor = await stripe.customers.create({})
  const tried = await stripe.subscriptions.create({ customer: poor.id, items: [{ price: seat }], ...trial })
  await stripe.subscriptions.retrieve(tried.id, { expand: ['pending_setup_intent'] })
  local.advance({ days: 10 })
  await stripe.paymentMethods
    .attach('pm_card_visa', { customer: poor.id })
    .then(({ id }) => stripe.subscriptions.update(tried.id, { default_payment_method: id }))
  await stripe.subscriptions.resume(tried.id, { payment_behavior: 'resume_on_payment_success' })
  await stripe.subscriptions.pause(tried.id, { invoicing_behavior: 'invoice' })
  await stripe.subscriptions.resume(tried.id, { billing_cycle_anchor: { type: 'now' } })

  const items = [{ price: seat, quantity: 3 }]
  const made = await stripe.subscriptions.create({
    customer,
    items,
    metadata: { note: 'yes' },
    discounts: [{ promotion_code: code.id }],
    payment_settings: { save_default_payment_method: 'on_subscription' },
    expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments', 'discounts.promotion_code', 'customer'],
  })
  const [line] = made.items.data
  const changes: Stripe.SubscriptionUpdateParams[] = [
    { items: [{ id: line.id, quantity: 5 }, { price: price.id }] },
    { items: [{ id: line.id, quantity: 9 }], proration_behavior: 'always_invoice' },
    { pause_collection: { behavior: 'void', resumes_at: local.now() + 999 } },
    { pause_collection: '' },
    { cancel_at_period_end: true, cancellation_details: { comment: 'Alas', feedback: 'unused' } },
    { cancel_at_period_end: false },
    { discounts: '' },
    { discounts: [{ coupon: off.id }] },
  ]
  for (const change of changes) await stripe.subscriptions.update(made.id, change)
  await stripe.subscriptions.deleteDiscount(made.id)
  await stripe.invoices.createPreview({ subscription: made.id })
  await stripe.subscriptions.list({ customer, status: 'all', expand: ['data.discounts.promotion_code'] })

  local.decline(card.id, 'insufficient_funds')
  local.advance({ days: 32 })
  const [due] = (await stripe.invoices.list({ customer, status: 'open', expand: ['data.confirmation_secret'] })).data
  await stripe.invoices.retrieve(due.id, { expand: ['payments', 'discounts', 'customer'] })
  await stripe.invoices.update(due.id, { description: 'Due' })
  await refused(stripe.invoices.pay(due.id))
  const [payment] = (await stripe.invoicePayments.list({ invoice: due.id, expand: ['data.payment.payment_intent'] }))
    .data
  await stripe.invoicePayments.retrieve(payment.id)
  const intent = (payment.payment.payment_intent as Stripe.PaymentIntent).id
  await stripe.paymentIntents.retrieve(intent)
  await stripe.paymentIntents.list({ customer })
  await stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_authenticationRequired' })
  await stripe.paymentIntents.confirm(intent)
  local.advance({ days: 32 })
  const [later] = (await stripe.invoices.list({ customer, status: 'open' })).data
  if (later) await stripe.invoices.markUncollectible(later.id)
  if (later) await stripe.invoices.voidInvoice(later.id)
  local.advance({ days: 62 })
  const [drafted] = (await stripe.invoices.list({ customer, status: 'draft' })).data
  if (drafted) await stripe.invoices.finalizeInvoice(drafted.id)

  const refund = await stripe.refunds.create({ payment_intent: intent, amount: 100, reason: 'duplicate' })
  await stripe.refunds.retrieve(refund.id, { expand: ['payment_intent'] })
  await stripe.refunds.list({ payment_intent: intent })

  const setup = await stripe.setupIntents.create({ customer, usage: 'off_session' })
  await refused(stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_chargeDeclined' }))
  await stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_authenticationRequired' })
  await stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_authenticationRequired' })
  await stripe.setupIntents.retrieve(setup.id)
  await stripe.setupIntents.list({ customer })

  const sent = { customer, collection_method: 'send_invoice' } as const
  const billed = await stripe.subscriptions.create({ ...sent, items: [{ price: price.id }], days_until_due: 3 })
  local.advance({ days: 4 })
  await stripe.invoices.pay(billed.latest_invoice as string, { paid_out_of_band: true })

  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: billed.id })
  await stripe.subscriptionSchedules.retrieve(schedule.id)
  await stripe.subscriptionSchedules.release(schedule.id)
  await stripe.subscriptions.cancel(made.id, { invoice_now: true, prorate: true })
  await stripe.customers.retrieve(customer, { expand: ['subscriptions', 'invoice_settings.default_payment_method'] })
  await stripe.customers.list({ email: 'subscriber@example.com' })
  await stripe.customers.del(customer)
  await stripe.customers.retrieve(customer)
  const [event] = (await stripe.events.list({ limit: 100 })).data
  await stripe.events.retrieve(event.id)
}

await askEverything()

test('every endpoint has been asked', () => {
  const asked = ({ method, path }: (typeof routes)[number]) => {
    const pattern = new RegExp(`^${method} ${path.replace(/\{\w+\}/g, '[^/]+')}$`)
    return answers.some(({ what, status }) => status === 200 && pattern.test(what))
  }
  expect(routes.filter((route) => !asked(route)).map(({ method, path }) => `${method} ${path}`)).toEqual([])
})

/** Each fault once, with places instead of numbers. */
const distinct = (faults: string[]) => [...new Set(faults.map((fault) => fault.replace(/\[\d+\]/g, '[]')))].sort()

test('each answer has the shape that the client declares for it', () => {
  const sound = answers.filter(({ status }) => status === 200)
  expect(distinct(sound.flatMap(({ body }) => answerFaults(body)))).toEqual([])
})

test('each event has the shape that the client declares for it', () => {
  const events = local.stripe.events as unknown as Record<string, unknown>[]
  expect(new Set(events.map(({ type }) => type)).size).toBeGreaterThan(30)
  const faults = events.flatMap((event) => answerFaults(event).map((fault) => `${event.type}: ${fault}`))
  expect(distinct(faults)).toEqual([])
})

test('a fault would be seen', () => {
  const [{ email: _, ...rest }] = answers.filter(({ what }) => what === 'POST /v1/customers').map(({ body }) => body)
  const wrong = { ...rest, name: 7, nickname: 'x', address: { ...(rest.address as object), country: true } }
  expect(answerFaults(wrong)).toEqual([
    'customer.email is missing',
    'customer.address.country is true',
    'customer.name is 7',
    'customer.nickname is unknown',
  ])
})
