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
  const payer = await subscribed({ seats: 7, modules: ['planning', 'banking'] })
  await look(payer)
  const { body } = await payer.api.get(`${payer.path}/invoices`)
  const { data } = await dashboard.invoices.list({ customer: payer.customer })
  expect(body.totalItems).toBe(1)
  const [invoice] = body.member
  expect(invoice).toMatchObject({
    '@type': 'Invoice',
    name: data[0].number,
    status: 'paid',
    currency: 'EUR',
    total: 7 * 1200 + 900 + 1500,
    amountDue: data[0].amount_due,
    subscription: payer.path,
    pdf: data[0].invoice_pdf,
  })
  expect(new Date(invoice.issuedAt).getTime()).toBe(instant(data[0].status_transitions.finalized_at))
  expect(new Date(invoice.paidAt).getTime()).toBe(instant(data[0].status_transitions.paid_at))
  expect((await payer.api.get(invoice['@id'])).body).toMatchObject({ '@id': invoice['@id'], name: invoice.name })
  const pdf = await fetch(invoice.pdf)
  expect([pdf.status, pdf.headers.get('content-type')]).toEqual([200, 'application/pdf'])
})

test('invoices are listed newest first, in pages, with the amounts of Stripe', async () => {
  const payer = await subscribed({ seats: 3 })
  await payer.api.patch(payer.path, { seats: 6 })
  await payer.api.post('/subscriptions/apply-coupon', { code: 'LOYAL10' })
  stripe.advance({ days: 95 })
  await look(payer)
  const { data } = await dashboard.invoices.list({ customer: payer.customer })
  expect(data.length).toBe(4)
  const { body } = await payer.api.get(`${payer.path}/invoices`)
  expect(body.member.map(shown)).toEqual(data.map(known))
  const moments = body.member.map(({ issuedAt }: Shown) => issuedAt)
  expect(moments).toEqual(moments.toSorted().reverse())

  const walked: Shown[] = []
  for (let next = `${payer.path}/invoices?itemsPerPage=3`; next; ) {
    const { body: page } = await payer.api.get(next)
    walked.push(...page.member)
    next = page.view?.next
  }
  expect(walked.map(shown)).toEqual(data.map(known))
  expect((await payer.api.get('/invoices')).body.totalItems).toBe(4)
})

test('an unpaid invoice is open, and void once Stripe voids it', async () => {
  const payer = await stripeCustomer()
  const { body } = await payer.api.post('/subscriptions')
  const customer = await customerIdOf(payer)
  await look({ customer })
  const listed = async () => (await payer.api.get(`${body['@id']}/invoices`)).body.member
  expect(await listed()).toEqual([expect.objectContaining({ status: 'open', amountDue: 3600, paidAt: null })])
  await payer.api.post(`${body['@id']}/cancel`)
  await look({ customer })
  expect(await listed()).toEqual([expect.objectContaining({ status: 'void', total: 3600, paidAt: null })])
})

test('an invoice that is paid at Stripe is paid here after the next sync', async () => {
  const payer = await stripeCustomer()
  const { body } = await payer.api.post('/subscriptions')
  const customer = await customerIdOf(payer)
  await look({ customer })
  await confirmIntent(body.confirmationSecret, 'pm_card_visa')
  await look({ customer })
  const { body: listed } = await payer.api.get(`${body['@id']}/invoices`)
  expect(listed.member).toEqual([expect.objectContaining({ status: 'paid', paidAt: expect.any(String) })])
})

test('invoices of an earlier subscription stay with it', async () => {
  const payer = await subscribed({ seats: 3 })
  await payer.api.post(`${payer.path}/cancel`, { immediately: true })
  const { body } = await payer.api.post('/subscriptions', { paymentMethod: payer.card, seats: 5 })
  await look(payer)
  const totals = async (path: string) =>
    (await payer.api.get(`${path}/invoices`)).body.member.map(({ total }: Shown) => total)
  expect(await totals(payer.path)).toEqual([3600])
  expect(await totals(body['@id'])).toEqual([6000])
  expect((await payer.api.get('/invoices')).body.totalItems).toBe(2)
})

test('a thorough sync stores more invoices than one page of Stripe', async () => {
  const payer = await subscribed({ seats: 3 })
  stripe.advance({ days: 31 * 110 })
  await look(payer, { thorough: true })
  const { body } = await payer.api.get(`${payer.path}/invoices?itemsPerPage=100`)
  const all = await dashboard.invoices.list({ customer: payer.customer, limit: 100 }).autoPagingToArray({ limit: 1000 })
  expect(all.length).toBeGreaterThan(105)
  expect(body.totalItems).toBe(all.length)
  expect(body.member.map(shown)).toEqual(all.slice(0, 100).map(known))
})

test('invoices are for owners and admins of the organization', async () => {
  const payer = await subscribed()
  await look(payer)
  const { body } = await payer.api.get(`${payer.path}/invoices`)
  const [{ '@id': invoice }] = body.member
  for (const [user, status] of [
    [payer.tenant.users.member, 403],
    [operator, 403],
    [elsewhere.users.owner, 404],
    [payer.tenant.users.admin, 200],
  ] as const)
    for (const path of [invoice, `${payer.path}/invoices`]) expect((await as(user).get(path)).status).toBe(status)
  expect((await as(elsewhere.users.owner).get('/invoices')).body.totalItems).toBe(0)
  await eventually(
    async () => (await payer.api.get('/invoices')).body.totalItems,
    (total) => expect(total).toBe(1),
  )
})
