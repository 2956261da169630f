import { readFile } from 'node:fs/promises'
import { parser } from '@prometheus-io/lezer-promql'
import { parse } from 'yaml'
import { StripeEvent, WebhookDelivery, WebhookEndpoint } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, given, operator, tenant } = await openWorld()

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
  expect(
    metric(text, 'http_request_duration_seconds_count{route="/locations",method="GET",status="200"}'),
  ).toBeGreaterThan(0)
  expect(metric(text, 'database_connections_max{pool="items"}')).toBeGreaterThan(0)
  expect(metric(text, 'database_requests_waiting{pool="lists"}')).toBe(0)
  expect(metric(text, 'process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(metric(text, 'database_batch_keys_count')).toBeGreaterThan(0)
})

test('only the operator reads the metrics', async () => {
  expect((await as().get('/metrics')).status).toBe(401)
  for (const user of Object.values(tenant.users)) expect((await as(user).get('/metrics')).status).toBe(403)
})

test('requests are counted by the template of their path, which has no value of a client', async () => {
  const id = '01a20875-79eb-73e0-a38f-a6d71d19c1b3'
  for (const path of [`/locations/${id}`, `/locations/${id}.jsonld`, '/health/live', '/nowhere/secret'])
    await api.get(path)
  const { text } = await as(operator).get('/metrics')
  const routes = new Set(
    [...text.matchAll(/^http_request_duration_seconds_count\{route="([^"]*)"/gm)].map(([, route]) => route),
  )
  expect([...routes]).toEqual(expect.arrayContaining(['/locations/{id}', '/health/live', 'none']))
  expect(text).not.toContain(id)
  expect(text).not.toContain('nowhere')
})

test('a job that is due is counted, with its age', async () => {
  const add = (task: string, options: string) =>
    database.query(`SELECT graphile_worker.add_job('${task}', '{}', ${options})`)
  await add('metricsDue', `run_at => now() - interval '90 s'`)
  await add('metricsLater', `run_at => now() + interval '1 h'`)
  const { text } = await as(operator).get('/metrics')
  expect(metric(text, 'jobs{status="due"}')).toBeGreaterThanOrEqual(1)
  expect(metric(text, 'jobs{status="running"}')).toBe(0)
  expect(metric(text, 'jobs_oldest_due_seconds')).toBeGreaterThanOrEqual(90)
})

test('a job that runs its last attempt is counted as running', async () => {
  await database.query(`SELECT graphile_worker.add_job('metricsLast', '{}', max_attempts => 1, job_key => 'last')`)
  await database.query(
    `UPDATE graphile_worker._private_jobs SET attempts = 1, locked_at = now(), locked_by = 'other' WHERE "key" = 'last'`,
  )
  const { text } = await as(operator).get('/metrics')
  expect(metric(text, 'jobs{status="running"}')).toBe(1)
})

test('webhook endpoints and deliveries are counted, with the age of the oldest one to an endpoint that does not fail', async () => {
  const [failingSince, createdById] = [new Date(), tenant.users.owner.id]
  const of = { url: 'https://hooks.example.com/', name: 'Hooks', sealedSecret: 'x', createdById }
  const [active, failing] = [await given(WebhookEndpoint, of), await given(WebhookEndpoint, { ...of, failingSince })]
  await given(WebhookEndpoint, { ...of, enabled: false })
  const due = (seconds: number) => ({ event: 'invoice.pay', nextAttemptAt: new Date(Date.now() - seconds * 1000) })
  await given(WebhookDelivery, { ...due(90), endpointId: active.id })
  await given(WebhookDelivery, { ...due(900), endpointId: failing.id })
  await given(WebhookDelivery, { ...due(-900), endpointId: failing.id, attempts: 3 })
  await given(WebhookDelivery, { ...due(900), endpointId: active.id, status: 'delivered' })
  const { text } = await as(operator).get('/metrics')
  for (const status of ['active', 'failing', 'disabled'])
    expect(metric(text, `webhook_endpoints{status="${status}"}`)).toBe(1)
  expect(metric(text, 'webhook_deliveries{status="due"}')).toBe(2)
  expect(metric(text, 'webhook_deliveries{status="retrying"}')).toBe(1)
  const age = metric(text, 'webhook_deliveries_oldest_due_seconds')
  expect([age >= 90, age < 900]).toEqual([true, true])
})

test('the dashboard and the alerts are valid PromQL over metrics that exist, and the guide explains each alert', async () => {
  const { text } = await as(operator).get('/metrics')
  const known = new Set([...text.matchAll(/^([a-z]\w*)[{ ]/gm)].map(([, name]) => name))
  const { panels } = JSON.parse(await readFile('deploy/monitoring/dashboard.json', 'utf8'))
  const { groups } = parse(await readFile('deploy/monitoring/alerts.yaml', 'utf8'))
  const rules: { alert: string; expr: string }[] = groups.flatMap(({ rules }: { rules: object[] }) => rules)
  const shown: string[] = panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr),
  )
  for (const expression of [...shown, ...rules.map(({ expr }) => expr)]) {
    const { names, isValid } = parsePromql(expression.replaceAll('$__rate_interval', '5m'))
    expect([expression, isValid]).toEqual([expression, true])
    expect([expression, names.filter((name) => !known.has(name))]).toEqual([expression, []])
  }
  const guide = await readFile('docs/guides/operations.md', 'utf8')
  expect(rules.map(({ alert }) => alert).filter((alert) => !guide.includes(`| \`${alert}\` |`))).toEqual([])
})

/** The metrics of an expression. */
function parsePromql(expression: string): { names: string[]; isValid: boolean } {
  const names: string[] = []
  let isValid = true
  parser.parse(expression).iterate({
    enter({ type, node, from, to }) {
      if (type.isError) isValid = false
      if (type.name === 'VectorSelector')
        names.push(expression.slice(node.firstChild?.from ?? from, node.firstChild?.to ?? to))
    },
  })
  return { names, isValid }
}
