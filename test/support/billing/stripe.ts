import Stripe from 'stripe'
import { eventually } from '../eventually.ts'
import { startJobs } from '../jobs.ts'
import { openWorld } from '../world.ts'
import { type Customer, payingCustomer } from './billing.ts'

const { billing, database, publicUrl, stripe } = await openWorld()

export { modulesOf, violationsOf } from './manual-billing.ts'

/** One API version before the server's, by which the request log distinguishes the two clients. */
const version = '2026-09-30.endive'

/** A client that acts as the operator in the dashboard of Stripe. */
export const dashboard = new Stripe(stripe.secretKey, {
  host: '127.0.0.1',
  port: new URL(stripe.url).port,
  protocol: 'http',
  telemetry: false,
  apiVersion: version as never,
})

/** Delivers events to the server of the test, and starts its jobs. */
export async function deliverEvents(): Promise<void> {
  stripe.deliveries.url = `${publicUrl}/webhooks/stripe`
  await startJobs()
}

/** The requests of the server to Stripe since a position; `what` is the method and the path. */
export function serverRequests(since = 0): ((typeof stripe.requests)[number] & { what: string })[] {
  const own = billing.stripe.getApiField('version')
  return stripe.requests
    .slice(since)
    .filter(({ headers }) => headers['stripe-version'] === own)
    .map((request) => ({ ...request, what: `${request.method} ${request.path.slice('/v1'.length)}` }))
}

/** The same without the requests of syncs, which may come at any time. */
export function serverRequestsWithoutSyncs(since: number): ReturnType<typeof serverRequests> {
  return serverRequests(since).filter(
    ({ method, what, params }) =>
      method !== 'GET' || !(params.status === 'all' || /^GET .(customers|invoices)/.test(what)),
  )
}

/** Confirms a payment intent or a setup intent with its secret, as the browser does. */
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
  /** The IRI of the subscription. */
  path: string
  /** Stripe's id of the subscription. */
  externalId: string
  /** Stripe's id of the customer. */
  customer: string
}

export async function subscribed(body: object = {}, token?: string): Promise<Subscribed> {
  const subscriber = await payingCustomer(token)
  const { body: made } = await subscriber.api.post('/subscriptions', { paymentMethod: subscriber.card, ...body })
  return { ...subscriber, path: made['@id'], externalId: made.externalId, customer: await customerIdOf(subscriber) }
}

/** Stripe's id of the customer of an organization. */
export async function customerIdOf({ tenant, api }: Customer): Promise<string> {
  return (await api.get(`/organizations/${tenant.organization.id}`)).body.stripeCustomerId
}

/** Reads a resource until it matches. */
export function eventuallyMatches({ api }: Pick<Customer, 'api'>, path: string, expected: object): Promise<object> {
  return eventually(
    async () => (await api.get(path)).body,
    (body) => expect(body).toMatchObject(expected),
  )
}

/** The tables with a row that contains a text. */
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
