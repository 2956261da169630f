import { StripeEvent } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, operator, tenant } = await openWorld()

const metric = (text: string, name: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  )

test('the operator reads durations of requests and counts of pending Stripe events', async () => {
  const received = new Date(Date.now() - 90_000)
  const event = { type: 'invoice.paid', customerId: 'cus_1', objectId: 'in_1', created: received, payload: {} }
  const rows = [
    { ...event, id: 'evt_1', status: 'pending' as const, receivedAt: received },
    { ...event, id: 'evt_2', status: 'failed' as const },
    { ...event, id: 'evt_3', status: 'done' as const },
  ]
  await database.manager.insert(StripeEvent, rows)
  await api.get('/locations')

  const { status, text, headers } = await as(operator).get('/metrics')
  expect(status).toBe(200)
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(metric(text, 'stripe_events{status="pending"}')).toBe(1)
  expect(metric(text, 'stripe_events{status="failed"}')).toBe(1)
  expect(metric(text, 'stripe_events_oldest_pending_seconds')).toBeGreaterThanOrEqual(90)
  expect(metric(text, 'http_request_duration_seconds_count{method="GET",status="200"}')).toBeGreaterThan(0)
  expect(metric(text, 'process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(metric(text, 'database_batch_keys_count')).toBeGreaterThan(0)
})

test('only the operator reads the metrics', async () => {
  expect((await as().get('/metrics')).status).toBe(401)
  for (const user of Object.values(tenant.users)) expect((await as(user).get('/metrics')).status).toBe(403)
})
