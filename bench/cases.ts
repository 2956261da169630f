import type { DataSource } from 'typeorm'
import type { OwnIssuer } from '../src/access/token-issuer-keys.ts'
import { type BenchTenant, foundTenants } from './data.ts'
import { cursorOf } from './documents.ts'
import { type BenchRequest, headerOf } from './load.ts'
import type { ServerName, Servers } from './servers.ts'

/** A kind of request that the benchmark compares. */
export interface Case {
  title: string
  requests(data: BenchData, server: ServerName, servers: Servers): BenchRequest[] | Promise<BenchRequest[]>
  /** Further requests to this server alone, for comparison with the others: page 1 of a long collection. */
  first?(data: BenchData): BenchRequest[]
  /** The ratio to the bare server that is to be reached, by the number of connections. */
  goals?: Record<number, number>
  /** Whether the first request has the same body from each server. Created rows differ by their ids. */
  sameBody: boolean
  /** Whether the naive server answers it, too. */
  naive: boolean
}

export const cases: Record<string, Case> = {
  item: {
    ...get(({ reads }) => inTurn(reads, itemRequests)),
    title: 'GET item',
    goals: { 1: 0.9, 16: 2.2, 64: 2.5 },
  },
  '304': {
    ...get(() => []),
    title: 'GET item, 304',
    requests: ({ reads }, server, servers) =>
      Promise.all(
        inTurn(reads, (tenant) => itemRequests(tenant).slice(0, 20)).map((one) => conditional(one, server, servers)),
      ),
  },
  page: {
    ...get(({ reads }) => reads.map((tenant) => getRequest(tenant, '/meetings'))),
    title: 'GET page of 30',
    goals: { 16: 1.5 },
  },
  filtered: {
    ...get(({ reads }) => inTurn(reads, filtered)),
    title: 'GET filtered page',
  },
  deep: {
    ...get(({ deep, deepPages }) => deep.map((tenant, index) => getRequest(tenant, deepPages[index]))),
    title: 'GET page 3,000 of 100,000 rows',
    // With an offset, it takes seconds for one page.
    naive: false,
    first: ({ deep }) => deep.map((tenant) => getRequest(tenant, '/meetings?page=1')),
  },
  post: {
    title: 'POST',
    requests: ({ writes }) =>
      inTurn(writes, (tenant) => tenant.employees.map((employee) => postRequest(tenant, employee))),
    goals: { 16: 0.95 },
    sameBody: false,
    naive: true,
  },
  patch: {
    title: 'PATCH',
    requests: ({ writes }) => inTurn(writes, (tenant) => tenant.meetings.map((id) => patchRequest(tenant, id))),
    sameBody: true,
    naive: true,
  },
  mix: {
    title: 'Mix of 200 tenants',
    requests: ({ mix }) => mixed(mix),
    goals: { 64: 1.5 },
    sameBody: false,
    naive: true,
  },
  countries: {
    ...get(({ reads: [tenant] }) => [getRequest(tenant, '/countries')]),
    title: 'GET /countries',
    naive: false,
  },
  docs: {
    ...get(({ reads: [tenant] }) => [getRequest(tenant, '/docs.jsonld')]),
    title: 'GET /docs.jsonld',
    naive: false,
  },
}

/** Cases that run only when they are named. */
export const optionalCases = ['countries', 'docs']

/** The organizations of the cases. They are several, because one may have 32 waiting lists at most. */
export interface BenchData {
  reads: BenchTenant[]
  writes: BenchTenant[]
  mix: BenchTenant[]
  deep: BenchTenant[]
  /** The path of page 3,000 of each organization in `deep`. */
  deepPages: string[]
}

/** Founds the organizations that some cases need. */
export async function foundBenchTenants(database: DataSource, issuer: OwnIssuer, names: string[]): Promise<BenchData> {
  const found = (name: string, isNeeded: boolean, tenants: number, meetings: number) =>
    foundTenants(database, issuer, name, Array(isNeeded ? tenants : 0).fill({ employees: 8, meetings }))
  const deep = await found('deep', names.includes('deep'), 4, 100_000)
  return {
    reads: await found('reads', true, 8, 120),
    writes: await found('writes', names.includes('post') || names.includes('patch'), 8, 120),
    mix: await found('mix', names.includes('mix'), 200, 120),
    deep,
    deepPages: await Promise.all(deep.map((tenant) => deepPageOf(database, tenant))),
  }
}

/** The path of page 3,000 of a collection: it goes on from the last row of the page before. */
async function deepPageOf(database: DataSource, { organization }: BenchTenant): Promise<string> {
  const [last] = await database.query(
    'SELECT "id" FROM "meeting" WHERE "organizationId" = $1 ORDER BY "id" LIMIT 1 OFFSET $2',
    [organization, 2999 * 30 - 1],
  )
  return `/meetings?page=3000&after=${cursorOf(last)}`
}

function get(requests: (data: BenchData) => BenchRequest[]): Omit<Case, 'title'> {
  return { requests, sameBody: true, naive: true }
}

export function getRequest({ authorization }: BenchTenant, path: string): BenchRequest {
  return { method: 'GET', path, headers: { Authorization: authorization }, status: 200 }
}

/** The requests of several organizations, one of each in turn. */
function inTurn(tenants: BenchTenant[], requestsOf: (tenant: BenchTenant) => BenchRequest[]): BenchRequest[] {
  const [first, ...others] = tenants.map(requestsOf)
  return first.flatMap((request, index) => [request, ...others.map((requests) => requests[index])])
}

function itemRequests(tenant: BenchTenant): BenchRequest[] {
  return tenant.meetings.map((id) => getRequest(tenant, `/meetings/${id}`))
}

export function filtered(tenant: BenchTenant): BenchRequest[] {
  return tenant.employees.map((employee) => getRequest(tenant, `/meetings?employee=/employees/${employee}`))
}

export function postRequest({ authorization }: BenchTenant, employee: string): BenchRequest {
  const window = { dateFrom: '2026-06-01T08:00:00Z', dateTo: '2026-06-01T09:00:00Z' }
  return {
    method: 'POST',
    path: '/meetings',
    headers: { Authorization: authorization, 'Content-Type': 'application/ld+json' },
    body: JSON.stringify({ employee: `/employees/${employee}`, ...window }),
    status: 201,
  }
}

export function patchRequest({ authorization }: BenchTenant, id: string): BenchRequest {
  return {
    method: 'PATCH',
    path: `/meetings/${id}`,
    headers: { Authorization: authorization, 'Content-Type': 'application/merge-patch+json' },
    body: (turn) => JSON.stringify({ notes: `Onderhoud ${turn}` }),
    status: 200,
  }
}

/** The same request from a client that has the response cached. */
async function conditional(request: BenchRequest, server: ServerName, servers: Servers): Promise<BenchRequest> {
  const from = (etag: string) => ({ ...request, headers: { ...request.headers, 'If-None-Match': etag } })
  const { head } = await servers.send(server, from('"none"'))
  return { ...from(headerOf(head, 'ETag') ?? ''), status: 304 }
}

/** Of 100 requests, 40 are items, 40 pages, 15 filtered pages and 5 writes, in an order that is the same in each run. */
function mixed(tenants: BenchTenant[]): BenchRequest[] {
  const random = randomNumbers()
  const pick = <T>(values: T[]) => values[random() % values.length]
  return Array.from({ length: 4000 }, (_, index) => {
    const [tenant, share] = [pick(tenants), random() % 100]
    if (share < 40) return getRequest(tenant, `/meetings/${pick(tenant.meetings)}`)
    if (share < 80) return getRequest(tenant, '/meetings')
    if (share < 95) return pick(filtered(tenant))
    if (index % 2) return postRequest(tenant, pick(tenant.employees))
    return patchRequest(tenant, pick(tenant.meetings))
  })
}

/** Park and Miller's generator: without a seed of its own, each run would measure another order. */
export function randomNumbers(): () => number {
  let state = 42
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state
  }
}
