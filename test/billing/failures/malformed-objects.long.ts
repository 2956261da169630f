import { dashboard, subscribed } from '../../support/billing/stripe.ts'
import { deliver, storedEvent } from '../../support/billing/stripe-events.ts'
import { customerEvent, syncNow } from '../../support/billing/sync-now.ts'
import { eventually } from '../../support/eventually.ts'
import { expectProblem } from '../../support/requests/raw-responses.ts'
import { openWorld } from '../../support/world.ts'

const { database, stripe } = await openWorld()

afterEach(() => stripe.clearFaults())

const wrong = [null, -1, 1e300, true, 'a\0b', 'x'.repeat(3000), [null], { id: 5 }]

/** Copies an object with another value at one path, such as `items.data.0.id`. */
function withValue<T>(object: T, place: string, value: unknown): T {
  const altered = structuredClone(object)
  const names = place.split('.')
  const last = names.pop() as string
  // biome-ignore lint/suspicious/noExplicitAny: the value is about to be malformed
  const holder = names.reduce((one: any, name) => one[name], altered)
  holder[last] = value
  return altered
}

const subscriber = await subscribed({ modules: ['planning'] })
await subscriber.api.post('/subscriptions/apply-coupon', { code: 'SPRING' })
await syncNow(subscriber.customer)
const { customer, externalId, api, path } = subscriber
const subscription = JSON.parse(
  JSON.stringify(await dashboard.subscriptions.retrieve(externalId, { expand: ['discounts.promotion_code'] })),
)
const right = async () => (await api.get(path)).body
const before = await right()
const shown = ({ id, status, seats, modules, coupon, cancelAt }: Record<string, unknown>) => ({
  id,
  status,
  seats,
  modules,
  coupon,
  cancelAt,
})

const places = [
  ...['id', 'object', 'status', 'customer', 'items', 'items.object', 'items.data', 'items.data.0', 'items.data.0.id'],
  ...['items.data.0.quantity', 'items.data.0.metadata', 'items.data.0.price', 'items.data.0.price.lookup_key'],
  ...['items.data.0.price.recurring', 'items.data.0.price.recurring.interval', 'metadata', 'metadata.subscription'],
  ...['discounts', 'discounts.0', 'discounts.0.source', 'discounts.0.source.coupon', 'discounts.0.promotion_code'],
  ...['discounts.0.promotion_code.code', 'cancel_at', 'default_payment_method', 'latest_invoice'],
]

test.each(places)(
  'a subscription with any value for %s is stored or reported as malformed, never as an error of the client',
  async (place) => {
    for (const value of wrong) {
      const body = JSON.stringify(withValue(subscription, place, value))
      stripe.fault({ kind: 'nonsense', body, method: 'POST', path: `/v1/subscriptions/${externalId}` })
      const answer = await api.post(`${path}/cancel`)
      stripe.clearFaults()
      if (answer.status >= 300) expectProblem(answer as never, 502)
      expect((await api.get(path)).status).toBe(200)
      if (answer.status < 300) {
        await syncNow(customer)
        expect(shown(await right())).toEqual(shown(before))
      } else expect(await right()).toEqual({ ...(await right()), ...shown(before) })
    }
  },
)

const method = (await dashboard.customers.listPaymentMethods(customer)).data[0]
const invoice = JSON.parse(JSON.stringify((await dashboard.invoices.list({ customer })).data[0]))
const listed = (data: unknown[], url: string) => ({ object: 'list', data, has_more: false, url })

test.each<[string, string, object, string[]]>([
  [
    'payment method',
    `/v1/customers/${customer}/payment_methods`,
    listed([JSON.parse(JSON.stringify(method))], '/v1/payment_methods'),
    ['id', 'type', 'card', 'card.brand', 'card.display_brand', 'card.last4', 'card.exp_month', 'card.exp_year'],
  ],
  [
    'invoice',
    '/v1/invoices',
    listed([invoice], '/v1/invoices'),
    [
      ...['id', 'number', 'status', 'currency', 'total', 'amount_due', 'created', 'due_date', 'invoice_pdf'],
      ...['status_transitions', 'status_transitions.paid_at', 'parent', 'parent.subscription_details'],
    ],
  ],
  [
    'subscription',
    '/v1/subscriptions',
    listed([subscription], '/v1/subscriptions'),
    ['status', 'items', 'items.data.0.quantity', 'discounts.0.source', 'cancel_at', 'metadata.subscription'],
  ],
])('an event with a malformed %s stores the other objects, or stays pending', async (_, where, list, fields) => {
  for (const field of fields)
    for (const value of wrong) {
      const event = customerEvent(customer)
      await deliver(event)
      const body = JSON.stringify(withValue(list, `data.0.${field}`, value))
      stripe.fault({ kind: 'nonsense', body, method: 'GET', path: where })
      await syncNow(customer)
      stripe.clearFaults()
      const { status, error, attempts } = (await storedEvent(event.id)) ?? {}
      if (status !== 'done')
        expect([status, attempts, error]).toEqual(['pending', 0, expect.stringContaining('malformed')])
      await database.query(`SELECT graphile_worker.remove_job('customer:' || $1)`, [customer])
    }
  await syncNow(customer)
  await eventually(right, (body) => expect(shown(body)).toEqual(shown(before)), 1)
})
