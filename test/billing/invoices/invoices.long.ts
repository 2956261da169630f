import type Stripe from 'stripe'
import { stripeCustomer } from '../../support/billing/billing.ts'
import { confirmIntent, customerIdOf, dashboard, type Subscribed, subscribed } from '../../support/billing/stripe.ts'
import { eventually } from '../../support/eventually.ts'
import { jobs } from '../../support/jobs.ts'
import { openWorld } from '../../support/world.ts'

const { as, elsewhere, operator, stripe } = await openWorld()

interface Shown {
  '@id': string
  name: string
  status: string
  issuedAt: string
  paidAt: string | null
  total: number
}

/** Syncs the customer now, without waiting for events. */
const look = ({ customer }: Pick<Subscribed, 'customer'>, more: object = {}) =>
  jobs.followCustomer({ customer, ...more })
const shown = ({ name, total, status }: Shown) => ({ name, total, status })
const known = ({ number, total, status }: Stripe.Invoice) => ({ name: number, total, status })
const instant = (seconds: number | null) => (seconds === null ? null : seconds * 1000)

test('the invoice of a new subscription is stored with the amounts of Stripe', async () => {
  const subscriber = await subscribed({ seats: 7, modules: ['planning', 'banking'] })
  await look(subscriber)
  const { body } = await subscriber.api.get(`${subscriber.path}/invoices`)
  const { data } = await dashboard.invoices.list({ customer: subscriber.customer })
  expect(body.totalItems).toBe(1)
  const [invoice] = body.member
  expect(invoice).toMatchObject({
    '@type': 'Invoice',
    name: data[0].number,
    status: 'paid',
    currency: 'EUR',
    total: 7 * 1200 + 900 + 1500,
    amountDue: data[0].amount_due,
    subscription: subscriber.path,
    pdf: data[0].invoice_pdf,
  })
  expect(new Date(invoice.issuedAt).getTime()).toBe(instant(data[0].status_transitions.finalized_at))
  expect(new Date(invoice.paidAt).getTime()).toBe(instant(data[0].status_transitions.paid_at))
  expect((await subscriber.api.get(invoice['@id'])).body).toMatchObject({ '@id': invoice['@id'], name: invoice.name })
  const pdf = await fetch(invoice.pdf)
  expect([pdf.status, pdf.headers.get('content-type')]).toEqual([200, 'application/pdf'])
})

test('invoices are listed newest first, in pages, with the amounts of Stripe', async () => {
  const subscriber = await subscribed({ seats: 3 })
  await subscriber.api.patch(subscriber.path, { seats: 6 })
  await subscriber.api.post('/subscriptions/apply-coupon', { code: 'LOYAL10' })
  stripe.advance({ days: 95 })
  await look(subscriber)
  const { data } = await dashboard.invoices.list({ customer: subscriber.customer })
  expect(data.length).toBe(4)
  const { body } = await subscriber.api.get(`${subscriber.path}/invoices`)
  expect(body.member.map(shown)).toEqual(data.map(known))
  const moments = body.member.map(({ issuedAt }: Shown) => issuedAt)
  expect(moments).toEqual(moments.toSorted().reverse())

  const walked: Shown[] = []
  for (let next = `${subscriber.path}/invoices?itemsPerPage=3`; next; ) {
    const { body: page } = await subscriber.api.get(next)
    walked.push(...page.member)
    next = page.view?.next
  }
  expect(walked.map(shown)).toEqual(data.map(known))
  expect((await subscriber.api.get('/invoices')).body.totalItems).toBe(4)
})

test('an unpaid invoice is open, and void once Stripe voids it', async () => {
  const subscriber = await stripeCustomer()
  const { body } = await subscriber.api.post('/subscriptions')
  const customer = await customerIdOf(subscriber)
  await look({ customer })
  const listed = async () => (await subscriber.api.get(`${body['@id']}/invoices`)).body.member
  expect(await listed()).toEqual([expect.objectContaining({ status: 'open', amountDue: 3600, paidAt: null })])
  await subscriber.api.post(`${body['@id']}/cancel`)
  await look({ customer })
  expect(await listed()).toEqual([expect.objectContaining({ status: 'void', total: 3600, paidAt: null })])
})

test('an invoice that is paid at Stripe is paid here after the next sync', async () => {
  const subscriber = await stripeCustomer()
  const { body } = await subscriber.api.post('/subscriptions')
  const customer = await customerIdOf(subscriber)
  await look({ customer })
  await confirmIntent(body.confirmationSecret, 'pm_card_visa')
  await look({ customer })
  const { body: listed } = await subscriber.api.get(`${body['@id']}/invoices`)
  expect(listed.member).toEqual([expect.objectContaining({ status: 'paid', paidAt: expect.any(String) })])
})

test('invoices of an earlier subscription stay with it', async () => {
  const subscriber = await subscribed({ seats: 3 })
  await subscriber.api.post(`${subscriber.path}/cancel`, { immediately: true })
  const { body } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card, seats: 5 })
  await look(subscriber)
  const totals = async (path: string) =>
    (await subscriber.api.get(`${path}/invoices`)).body.member.map(({ total }: Shown) => total)
  expect(await totals(subscriber.path)).toEqual([3600])
  expect(await totals(body['@id'])).toEqual([6000])
  expect((await subscriber.api.get('/invoices')).body.totalItems).toBe(2)
})

test('a thorough sync stores more invoices than one page of Stripe', async () => {
  const subscriber = await subscribed({ seats: 3 })
  stripe.advance({ days: 31 * 110 })
  await look(subscriber, { thorough: true })
  const { body } = await subscriber.api.get(`${subscriber.path}/invoices?itemsPerPage=100`)
  const all = await dashboard.invoices
    .list({ customer: subscriber.customer, limit: 100 })
    .autoPagingToArray({ limit: 1000 })
  expect(all.length).toBeGreaterThan(105)
  expect(body.totalItems).toBe(all.length)
  expect(body.member.map(shown)).toEqual(all.slice(0, 100).map(known))
})

test('invoices are for owners and admins of the organization', async () => {
  const subscriber = await subscribed()
  await look(subscriber)
  const { body } = await subscriber.api.get(`${subscriber.path}/invoices`)
  const [{ '@id': invoice }] = body.member
  for (const [user, status] of [
    [subscriber.tenant.users.member, 403],
    [operator, 403],
    [elsewhere.users.owner, 404],
    [subscriber.tenant.users.admin, 200],
  ] as const)
    for (const path of [invoice, `${subscriber.path}/invoices`]) expect((await as(user).get(path)).status).toBe(status)
  expect((await as(elsewhere.users.owner).get('/invoices')).body.totalItems).toBe(0)
  await eventually(
    async () => (await subscriber.api.get('/invoices')).body.totalItems,
    (total) => expect(total).toBe(1),
  )
})
