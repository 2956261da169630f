import type { Callers } from '../../src/access/callers.ts'
import { api as table } from '../../src/api.ts'
import { raw } from '../support/requests/raw-responses.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { banking, billing, tenant, tokenOf } = await openWorld()

/*
 * BREACH: who sees the length of a compressed response, and can put text into it, guesses a secret beside that text letter by
 * letter. Operations whose documents may hold a secret are therefore never compressed.
 */
const resources = table({ of: () => Promise.reject(), forget() {} } as unknown as Callers, billing, banking)
const rows: Record<string, { id: string } | undefined> = (await rowsOf(tenant)) as never
const authorization = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }

/** The resources none of whose operations is compressed. */
const neverCompressed = [
  'ApiKey',
  'AuditEvent',
  'OrganizationExport',
  'BankAccount',
  'BankTransaction',
  'Integration',
  'Invoice',
  'OrganizationUserInvitation',
  'PaymentMethod',
  'PaymentMethodSetup',
  'Subscription',
  'User',
  'WebhookDelivery',
  'WebhookEndpoint',
]

/** Names of properties that hold a secret. A Stripe page at an invoice's URL needs no login. */
const secret = /secret|token|password|hosted/i

const operations = resources.flatMap((resource) =>
  resource.operations.map((operation) => ({
    resource,
    operation,
    title: `${operation.method} ${resource.path}${operation.path}`,
    path: resource.path + operation.path.replace(':id', rows[resource.name]?.id ?? 'NL'),
    neverCompressed: neverCompressed.includes(operation.members?.name ?? resource.name),
  })),
)

/** With this header every response that may be compressed is, however small. */
const forced = { 'Accept-Encoding': 'gzip, identity;q=0' }

test.each(operations.map((one) => [one.neverCompressed ? 'never' : 'when large', one.title, one] as const))(
  'compressed %s: %s',
  async (_, _title, { operation: { method }, path, neverCompressed }) => {
    const body = method === 'POST' || method === 'PATCH' ? '{"@type":1}' : undefined
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/ld+json'
    const sent = { ...authorization, ...forced, ...(body && { 'Content-Type': type }) }
    const { headers, status, bytes } = await raw(method, path, sent, body)
    if (bytes.length === 0) return
    expect([status, headers['content-encoding']]).toEqual([status, neverCompressed ? undefined : 'gzip'])
    if (neverCompressed) expect(headers['cache-control']).toMatch(/no-store/)
  },
)

test('a class with a property that holds a secret is among those never compressed', async () => {
  const contexts = await Promise.all(resources.map(({ name }) => raw('GET', `/contexts/${name}`)))
  const withSecret = resources.filter((_, n) =>
    Object.keys(JSON.parse(contexts[n].text)['@context']).some((term) => secret.test(term)),
  )
  expect(withSecret.map(({ name }) => name)).toEqual([
    'Subscription',
    'ApiKey',
    'WebhookEndpoint',
    'PaymentMethodSetup',
    'Invoice',
  ])
  for (const { name } of withSecret) expect(neverCompressed).toContain(name)
})

test('operations whose response has a secret are among those never compressed', () => {
  const withSecret = operations.filter(({ operation }) => operation.secrets)
  expect(withSecret.map(({ title }) => title).sort()).toEqual([
    'POST /api-keys',
    'POST /invoices/:id/pay',
    'POST /payment-methods/setup',
    'POST /subscriptions',
    'POST /webhook-endpoints',
    'POST /webhook-endpoints/:id/renew-secret',
  ])
  for (const one of withSecret) expect([one.title, one.neverCompressed]).toEqual([one.title, true])
})
