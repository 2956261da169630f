import type { LocalStripe } from '../../src/emulators/stripe/server.ts'
import { filtered, getRequest, patchRequest, postRequest, randomNumbers } from '../cases.ts'
import type { BenchTenant } from '../data.ts'
import type { BenchRequest } from '../load.ts'
import type { Population } from './population.ts'

/** How many of 100 requests are of a kind. */
export const shares = { item: 45, page: 30, filtered: 15, write: 8, webhook: 2 }

export type Kind = keyof typeof shares

const listed = 5_000

/** Requests of one kind. An organization is asked for the more often, the more employees it has. */
export function requestsOf(kind: Kind, { tenants, customers }: Population, stripe: LocalStripe): BenchRequest[] {
  const random = randomNumbers()
  const pick = <T>(values: T[]) => values[random() % values.length]
  const byEmployee = tenants.flatMap((tenant) => tenant.employees.map(() => tenant))
  const make: Record<Kind, (tenant: BenchTenant, index: number) => BenchRequest> = {
    item: (tenant) => getRequest(tenant, `/meetings/${pick(tenant.meetings)}`),
    page: (tenant) => getRequest(tenant, '/meetings'),
    filtered: (tenant) => pick(filtered(tenant)),
    write: (tenant, index) =>
      index % 2 ? postRequest(tenant, pick(tenant.employees)) : patchRequest(tenant, pick(tenant.meetings)),
    webhook: () => webhook(pick(customers), stripe),
  }
  return Array.from({ length: listed }, (_, index) => make[kind](pick(byEmployee), index))
}

/** Requests of all kinds by their shares, in an order that is the same in each run. */
export function mixOf(byKind: Record<Kind, BenchRequest[]>): BenchRequest[] {
  const random = randomNumbers()
  const kinds = (Object.keys(shares) as Kind[]).flatMap((kind) => Array<Kind>(shares[kind]).fill(kind))
  return Array.from({ length: listed * 2 }, () => byKind[kinds[random() % kinds.length]][random() % listed])
}

/** An event of Stripe about a customer, which the server stores and a job handles. */
function webhook(customer: string, stripe: LocalStripe): BenchRequest {
  const event = {
    object: 'event' as const,
    api_version: '2026-10-28.endive',
    created: Math.floor(Date.now() / 1000),
    livemode: false as const,
    pending_webhooks: 1,
    type: 'customer.updated',
    request: { id: null, idempotency_key: null },
    data: { object: { id: customer, object: 'customer' } },
  }
  return {
    method: 'POST',
    path: '/webhooks/stripe',
    headers: { 'Content-Type': 'application/json' },
    body: (turn) => stripe.sign({ id: `evt_simulated${turn}`, ...event }).body,
    sign: (body) => stripe.sign(JSON.parse(body)).headers,
    status: 200,
  }
}
