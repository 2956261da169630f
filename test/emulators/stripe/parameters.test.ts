import { readFileSync } from 'node:fs'
import { parameterError } from '../../../src/emulators/stripe/http/parameters.ts'
import { command, file } from './publish-parameters.ts'
import { faultsOf, publishedParameters } from './published-parameters.ts'

const seats = { customer: 'cus_1', items: [{ price: 'price_seat', quantity: '3' }] }

test(`${file} matches the installed client; ${command} updates it`, () => {
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(publishedParameters())
})

test('published parameters are read down to the innermost types', () => {
  const { object } = publishedParameters()['POST /v1/subscriptions']

  expect(object.discounts).toEqual([
    '',
    { array: { object: { coupon: 'string', discount: 'string', promotion_code: 'string' } } },
  ])
  expect(object.metadata).toEqual(['', { map: ['string', ''] }])
  expect(object.trial_end).toEqual(['integer', { enum: ['now'] }])
  expect(object.application_fee_percent).toEqual(['', 'number'])
  expect(object.payment_behavior).toEqual({
    enum: ['allow_incomplete', 'default_incomplete', 'error_if_incomplete', 'pending_if_incomplete'],
  })
})

test.each<[string, Record<string, unknown>]>([
  ['POST /v1/customers', { name: 'Rooms GmbH', metadata: { organization: '1' }, address: { country: 'CH' } }],
  ['POST /v1/customers', { metadata: '', invoice_settings: { default_payment_method: 'pm_1' } }],
  ['GET /v1/customers/{id}', {}],
  ['POST /v1/customers/{id}', { address: '', metadata: { organization: '' } }],
  ['DELETE /v1/customers/{id}', {}],
  ['GET /v1/customers', { email: 'ada@example.org', created: { gte: '1790000000' } }],
  ['GET /v1/customers', { created: '1790000000' }],
  ['GET /v1/customers/{id}/payment_methods', { type: 'card' }],
  ['POST /v1/payment_methods', { type: 'card', card: { token: 'tok_visa' } }],
  ['GET /v1/payment_methods/{id}', { expand: ['customer'] }],
  ['POST /v1/payment_methods/{id}', { billing_details: { name: 'Ada' } }],
  ['GET /v1/payment_methods', { customer: 'cus_1', type: 'card' }],
  ['POST /v1/payment_methods/{id}/attach', { customer: 'cus_1' }],
  ['POST /v1/payment_methods/{id}/detach', {}],
  ['POST /v1/products', { name: 'Seat' }],
  ['GET /v1/products/{id}', {}],
  ['GET /v1/products', { active: 'true', ids: ['prod_1'] }],
  ['POST /v1/prices', { currency: 'chf', product: 'prod_1', unit_amount: '900', recurring: { interval: 'month' } }],
  ['POST /v1/prices', { currency: 'chf', product_data: { name: 'Seat' }, unit_amount_decimal: '0.5' }],
  ['GET /v1/prices/{id}', { expand: ['product'] }],
  ['GET /v1/prices', { lookup_keys: ['seat', 'rooms'], limit: '100' }],
  ['POST /v1/coupons', { percent_off: '12.5', duration: 'repeating', duration_in_months: '3' }],
  ['GET /v1/coupons/{id}', { expand: ['applies_to'] }],
  ['GET /v1/coupons', { limit: '3' }],
  ['POST /v1/promotion_codes', { promotion: { type: 'coupon', coupon: 'SPRING' }, code: 'HELLO' }],
  ['GET /v1/promotion_codes/{id}', {}],
  ['GET /v1/promotion_codes', { code: 'HELLO', active: 'true', limit: '1' }],
  ['POST /v1/subscriptions', seats],
  ['POST /v1/subscriptions', { ...seats, trial_end: 'now', discounts: [{ coupon: 'SPRING' }], off_session: 'true' }],
  ['POST /v1/subscriptions', { ...seats, metadata: ['numeric keys make a list'], application_fee_percent: '1.5' }],
  ['GET /v1/subscriptions/{id}', { expand: ['latest_invoice.confirmation_secret'] }],
  ['POST /v1/subscriptions/{id}', { discounts: '' }],
  ['POST /v1/subscriptions/{id}', { items: [{ id: 'si_1', deleted: 'true' }], proration_behavior: 'none' }],
  ['POST /v1/subscriptions/{id}', { cancel_at_period_end: 'true' }],
  ['DELETE /v1/subscriptions/{id}', { prorate: 'true', cancellation_details: { feedback: 'unused' } }],
  ['GET /v1/subscriptions', { customer: 'cus_1', status: 'all' }],
  ['POST /v1/subscriptions/{id}/resume', { proration_behavior: 'none' }],
  ['DELETE /v1/subscriptions/{id}/discount', {}],
  ['GET /v1/invoices/{id}', {}],
  ['GET /v1/invoices', { customer: 'cus_1', subscription: 'sub_1', starting_after: 'in_1' }],
  ['POST /v1/invoices/{id}/pay', { paid_out_of_band: 'true' }],
  ['POST /v1/invoices/{id}/void', {}],
  ['POST /v1/invoices/{id}/finalize', { auto_advance: 'false' }],
  ['POST /v1/invoices/create_preview', { subscription: 'sub_1', subscription_details: { cancel_now: 'true' } }],
  ['GET /v1/invoice_payments', { invoice: 'in_1' }],
  ['GET /v1/payment_intents/{id}', { client_secret: 'pi_1_secret' }],
  ['POST /v1/payment_intents/{id}/confirm', { payment_method: 'pm_1', off_session: 'one_off' }],
  ['POST /v1/setup_intents', { customer: 'cus_1', usage: 'off_session' }],
  ['GET /v1/setup_intents/{id}', {}],
  ['POST /v1/setup_intents/{id}/confirm', { payment_method: 'pm_1' }],
  ['GET /v1/events/{id}', {}],
  ['GET /v1/events', { types: ['invoice.paid'], delivery_success: 'false' }],
  ['POST /v1/webhook_endpoints', { url: 'https://example.org/hook', enabled_events: ['invoice.paid'] }],
])('%s takes %j', (endpoint, params) => {
  expect([refused(endpoint, params), judged(endpoint, params)]).toEqual([undefined, []])
})

test.each<[string, Record<string, unknown>, string, string | undefined, string | undefined]>([
  ['POST /v1/customers', { nmae: 'Ada' }, 'Received unknown parameter: nmae', 'parameter_unknown', 'nmae'],
  ['POST /v1/customers', { coupon: 'SPRING' }, 'Received unknown parameter: coupon', 'parameter_unknown', 'coupon'],
  [
    'POST /v1/customers',
    { constructor: '1' },
    'Received unknown parameter: constructor',
    'parameter_unknown',
    'constructor',
  ],
  [
    'POST /v1/subscriptions',
    { ...seats, items: [{ price: 'price_1', foo: '1' }], bar: '2' },
    'Received unknown parameters: items[0][foo], bar',
    'parameter_unknown',
    'items[0][foo]',
  ],
  [
    'POST /v1/subscriptions',
    { items: seats.items },
    'Missing required param: customer.',
    'parameter_missing',
    'customer',
  ],
  ['POST /v1/subscriptions', { customer: 'cus_1' }, 'Missing required param: items.', 'parameter_missing', 'items'],
  [
    'POST /v1/subscriptions',
    { ...seats, items: [{ quantity: '1' }] },
    'Missing required param: items[0][price].',
    'parameter_missing',
    'items[0][price]',
  ],
  [
    'POST /v1/subscriptions',
    { ...seats, items: [{ price: 'price_1', quantity: 'abc' }] },
    'Invalid integer: abc',
    'parameter_invalid_integer',
    'items[0][quantity]',
  ],
  [
    'POST /v1/subscriptions',
    { ...seats, trial_end: 'soon' },
    'Invalid integer: soon',
    'parameter_invalid_integer',
    'trial_end',
  ],
  [
    'POST /v1/subscriptions',
    { ...seats, payment_behavior: 'hope' },
    'Invalid payment_behavior: must be one of allow_incomplete, default_incomplete, error_if_incomplete, or pending_if_incomplete',
    undefined,
    'payment_behavior',
  ],
  [
    'POST /v1/subscriptions',
    { ...seats, collection_method: 'nonsense' },
    'Invalid collection_method: must be one of charge_automatically or send_invoice',
    undefined,
    'collection_method',
  ],
  ['POST /v1/subscriptions', { ...seats, off_session: 'yes' }, 'Invalid boolean: yes', undefined, 'off_session'],
  ['POST /v1/subscriptions', { ...seats, items: 'price_1' }, 'Invalid array', undefined, 'items'],
  ['POST /v1/subscriptions', { ...seats, items: ['price_1'] }, 'Invalid object', undefined, 'items[0]'],
  ['POST /v1/subscriptions', { ...seats, items: { price: 'price_1' } }, 'Invalid array', undefined, 'items'],
  ['POST /v1/subscriptions', { ...seats, automatic_tax: ['true'] }, 'Invalid object', undefined, 'automatic_tax'],
  ['POST /v1/subscriptions', { ...seats, customer: { id: '1' } }, 'Invalid string: {"id":"1"}', undefined, 'customer'],
  [
    'POST /v1/subscriptions/{id}',
    { items: [{ quantity: '2' }] },
    'Missing required param: items[0][price].',
    'parameter_missing',
    'items[0][price]',
  ],
  ['POST /v1/coupons', { percent_off: 'half' }, 'Invalid decimal: half', undefined, 'percent_off'],
  [
    'POST /v1/coupons',
    { duration: 'once' },
    'Missing required param: percent_off.',
    'parameter_missing',
    'percent_off',
  ],
  ['POST /v1/prices', { currency: 'chf' }, 'Missing required param: product.', 'parameter_missing', 'product'],
  ['POST /v1/prices', { product: 'prod_1' }, 'Missing required param: currency.', 'parameter_missing', 'currency'],
  ['POST /v1/payment_methods/{id}/attach', {}, 'Missing required param: customer.', 'parameter_missing', 'customer'],
  [
    'POST /v1/promotion_codes',
    { coupon: 'SPRING' },
    'Received unknown parameter: coupon',
    'parameter_unknown',
    'coupon',
  ],
  ['GET /v1/invoices', { paid: 'true' }, 'Received unknown parameter: paid', 'parameter_unknown', 'paid'],
  [
    'GET /v1/invoices',
    { created: { since: '1' } },
    'Received unknown parameter: created[since]',
    'parameter_unknown',
    'created[since]',
  ],
  ['GET /v1/subscriptions', { limit: '2.5' }, 'Invalid integer: 2.5', 'parameter_invalid_integer', 'limit'],
  [
    'DELETE /v1/subscriptions/{id}',
    { at_period_end: 'true' },
    'Received unknown parameter: at_period_end',
    'parameter_unknown',
    'at_period_end',
  ],
])('%s refuses %j', (endpoint, params, message, code, param) => {
  const fault = refused(endpoint, params)

  expect(fault).toMatchObject({ status: 400, error: { type: 'invalid_request_error', message, param } })
  expect(fault?.error.code).toBe(code)
  expect(judged(endpoint, params)).not.toEqual([])
})

test('an empty value is refused for a parameter that cannot be unset', () => {
  const fault = refused('POST /v1/subscriptions', { ...seats, customer: '' })

  expect(fault?.error).toMatchObject({ code: 'parameter_invalid_empty', param: 'customer' })
  expect(fault?.error.message).toMatch(/^You passed an empty string for 'customer'\. .* cannot be unset\./)
})

test('anything may be expanded, but only by a list', () => {
  expect(refused('DELETE /v1/customers/{id}', { expand: ['subscriptions'] })).toBeUndefined()
  expect(refused('DELETE /v1/customers/{id}', { expand: 'subscriptions' })?.error.message).toBe('Invalid array')
})

test('a route may call what it leaves open by any name', () => {
  expect(refused('GET /v1/customers/{customer}', { foo: '1' })?.error.param).toBe('foo')
})

test('parameters of an endpoint that is not published are not checked', () => {
  expect(refused('GET /v1/charges', { foo: '1' })).toBeUndefined()
})

test('a recorded request is judged by what is published, every fault by its name', () => {
  const path = '/v1/subscriptions/sub_123?unread=1'
  const params = {
    items: [{ quantity: 'x' }],
    coupon: 'SPRING',
    metadata: null,
    trial_end: undefined,
    cancel_at_period_end: true,
    discounts: [],
  }

  expect(faultsOf({ method: 'post', path, params })).toEqual([
    'items[0][price|price_data|id] is missing',
    "items[0][quantity] is 'x', not integer",
    'coupon is unknown',
    'discounts is empty, which the client sends as nothing at all',
  ])
  expect(faultsOf({ method: 'POST', path: '/v1/invoices/create_preview', params: { subscription: 'sub_1' } })).toEqual(
    [],
  )
  expect(faultsOf({ method: 'GET', path: '/v1/charges', params: {} })).toEqual([
    'GET /v1/charges is no endpoint of test/emulators/stripe/published-parameters.ts',
  ])
})

function refused(endpoint: string, params: Record<string, unknown>) {
  const [method, route] = endpoint.split(' ')
  return parameterError(method, route, params)
}

function judged(endpoint: string, params: Record<string, unknown>): string[] {
  const [method, route] = endpoint.split(' ')
  return faultsOf({ method, path: route.replace('{id}', 'x_123'), params })
}
