import Stripe from 'stripe'
import { eventually } from '../eventually.ts'
import { startJobs } from '../jobs.ts'
import { billing, database, publicUrl, stripe } from '../world.ts'
import { type Customer, payingCustomer } from './billing.ts'

export { modulesOf, violationsOf } from './manual-billing.ts'

/** One version before the server's own, by which Stripe's log tells the two apart. */
const version = '2026-09-30.endive'

/** Stripe's dashboard, as its operator uses it. */
export const dashboard = new Stripe(stripe.secretKey, {
  host: '127.0.0.1',
  port: new URL(stripe.url).port,
  protocol: 'http',
  telemetry: false,
  apiVersion: version as never,
})

/** Has events delivered to the server of the test, and done there. */
export async function deliverEvents(): Promise<void> {
  stripe.deliveries.url = `${publicUrl}/webhooks/stripe`
  await startJobs()
}

/** What the server itself has asked of Stripe since some request, with the method and the path of each in one. */
export function serverRequests(since = 0): ((typeof stripe.requests)[number] & { what: string })[] {
  const own = billing.stripe.getApiField('version')
  return stripe.requests
    .slice(since)
    .filter(({ headers }) => headers['stripe-version'] === own)
    .map((request) => ({ ...request, what: `${request.method} ${request.path.slice('/v1'.length)}` }))
}

/** The same without what the jobs ask to follow customers, which may come at any time. */
export function serverRequestsWithoutSyncs(since: number): ReturnType<typeof serverRequests> {
  return serverRequests(since).filter(
    ({ method, what, params }) =>
      method !== 'GET' || !(params.status === 'all' || /^GET .(customers|invoices)/.test(what)),
  )
}

/** Confirms a payment or a setup with its secret, as Stripe's script does in the browser. */
export async function confirmIntent(secret: string, paymentMethod?: string): Promise<{ status: number; body: Answer }> {
  const [id] = secret.split('_secret_')
  const response = await fetch(`${stripe.url}/v1/${id.startsWith('pi_') ? 'payment' : 'setup'}_intents/${id}/confirm`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stripe.publishableKey}` },
    body: new URLSearchParams({ client_secret: secret, ...(paymentMethod && { payment_method: paymentMethod }) }),
  })
  return { status: response.status, body: (await response.json()) as Answer }
}

interface Answer {
  status?: string
  payment_method?: string
  error?: { code: string }
}

/** An organization with a subscription that is paid with a card. */
export interface Subscribed extends Customer {
  card: string
  /** The subscription, here and at Stripe. */
  path: string
  externalId: string
  /** The organization at Stripe. */
  customer: string
}

export async function subscribed(body: object = {}, token?: string): Promise<Subscribed> {
  const payer = await payingCustomer(token)
  const { body: made } = await payer.api.post('/subscriptions', { paymentMethod: payer.card, ...body })
  return { ...payer, path: made['@id'], externalId: made.externalId, customer: await customerIdOf(payer) }
}

/** What Stripe calls an organization. */
export async function customerIdOf({ tenant, api }: Customer): Promise<string> {
  return (await api.get(`/organizations/${tenant.organization.id}`)).body.stripeCustomerId
}

/** Asks for a resource until it is as it should be. */
export function eventuallyMatches({ api }: Pick<Customer, 'api'>, path: string, expected: object): Promise<object> {
  return eventually(
    async () => (await api.get(path)).body,
    (body) => expect(body).toMatchObject(expected),
  )
}

/** The tables in which a text stands anywhere. */
export async function tablesWith(text: string): Promise<string[]> {
  const found = await Promise.all(
    database.entityMetadatas.map(async ({ tableName }) => {
      const rows = await database.query(`SELECT 1 FROM "${tableName}" AS "row" WHERE strpos("row"::text, $1) > 0`, [
        text,
      ])
      return rows.length > 0 ? [tableName] : []
    }),
  )
  return found.flat()
}
