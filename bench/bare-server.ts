import { hash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import pg from 'pg'
import { v7 as uuid } from 'uuid'

/** The baseline of the benchmark: it sends the same responses with node:http, pg and prepared statements only. */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const organization = process.env.ORGANIZATION
const columns = '"id", "employeeId", "dateFrom", "dateTo", "notes", "time"'
const tenant = 'FROM "meeting" WHERE "organizationId" = $1'

interface Row {
  id: string
  employeeId: string | null
  dateFrom: Date
  dateTo: Date
  notes: string | null
  time: Date | null
}

const at = (date: Date | null) => {
  const text = date?.toISOString()
  return text ? (text.endsWith('.000Z') ? `${text.slice(0, 19)}Z` : text) : null
}

const node = (row: Row) => ({
  '@id': `/meetings/${row.id}`,
  '@type': 'Meeting',
  employee: row.employeeId && `/employees/${row.employeeId}`,
  dateFrom: at(row.dateFrom),
  dateTo: at(row.dateTo),
  notes: row.notes,
  time: at(row.time),
})

const context = { '@context': '/contexts/Meeting' }

/** The constant parts of responses, fetched once from the API and then sent unchanged. */
const constantParts = new Map<string, Promise<Record<string, unknown>>>()
const partsOf = (path: string, { headers }: IncomingMessage) => {
  const parts = constantParts.get(path) ?? fetchFromApi(path, headers.authorization as string)
  constantParts.set(path, parts)
  return parts
}

async function fetchFromApi(path: string, authorization: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${process.env.PUBLIC_URL}${path}`, { headers: { authorization } })
  return response.json() as Promise<Record<string, unknown>>
}

async function item(id: string): Promise<object> {
  const { rows } = await pool.query({
    name: 'item',
    text: `SELECT ${columns} ${tenant} AND "id" = $2`,
    values: [organization, id],
  })
  return { ...context, ...node(rows[0]) }
}

const cursor = (row: Row) => Buffer.from(JSON.stringify([row.id])).toString('base64url')

async function page(request: IncomingMessage, employee?: string): Promise<object> {
  const where = employee ? `${tenant} AND "employeeId" = ANY($2)` : tenant
  const values = employee ? [organization, [employee]] : [organization]
  const kind = employee ? 'filtered' : 'page'
  const [{ rows }, count, { search, memberAssertion }] = await Promise.all([
    pool.query({ name: kind, text: `SELECT ${columns} ${where} ORDER BY "id" LIMIT 30 OFFSET 0`, values }),
    pool.query({ name: `${kind}-count`, text: `SELECT count(*) ${where}`, values }),
    partsOf('/meetings', request),
  ])
  const total = Number(count.rows[0].count)
  const path = employee ? `/meetings?employee=${encodeURIComponent(`/employees/${employee}`)}&` : '/meetings?'
  const last = Math.ceil(total / 30)
  const several = {
    '@id': `${path}page=1`,
    '@type': 'PartialCollectionView',
    first: `${path}page=1`,
    last: `${path}page=${last}&before=end`,
    next: `${path}page=2&after=${rows.length > 0 ? cursor(rows[rows.length - 1]) : ''}`,
  }
  return {
    ...context,
    '@id': '/meetings',
    '@type': 'Collection',
    totalItems: total,
    member: rows.map(node),
    view: last > 1 ? several : { '@id': path.slice(0, -1), '@type': 'PartialCollectionView' },
    search,
    memberAssertion,
  }
}

async function post(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { employee, dateFrom, dateTo } = JSON.parse(Buffer.concat(chunks).toString())
  const [id, employeeId, now] = [uuid(), employee.slice('/employees/'.length), new Date()]
  await pool.query({
    name: 'known',
    text: 'SELECT "id" FROM "employee" WHERE "organizationId" = $1 AND "id" = $2',
    values: [organization, employeeId],
  })
  await pool.query({
    name: 'insert',
    text: `WITH "counted" AS (INSERT INTO "row_total" VALUES ('meeting', $2, 1))
      INSERT INTO "meeting" ("id", "organizationId", "createdAt", "updatedAt", "version", "employeeId", "dateFrom", "dateTo", "exclusive")
      VALUES ($1, $2, $3, $3, 1, $4, $5, $6, "meeting_exclusive"($2, $4, $5, $6, $1))`,
    values: [id, organization, now, employeeId, dateFrom, dateTo],
  })
  return {
    ...context,
    ...node({ id, employeeId, dateFrom: new Date(dateFrom), dateTo: new Date(dateTo), notes: null, time: null }),
  }
}

const filtered = '/meetings?employee=/employees/'

async function find(request: IncomingMessage): Promise<object> {
  const { method, url = '' } = request
  if (method === 'POST') return post(request)
  if (url === '/countries' || url === '/docs.jsonld') return partsOf(url, request)
  if (url.startsWith(filtered)) return page(request, url.slice(filtered.length))
  return url === '/meetings' ? page(request) : item(url.slice('/meetings/'.length))
}

/** Documents that are the same for every client, as text. */
const ready = new Map<string, string>()

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '' } = request
  const body = ready.get(url) ?? JSON.stringify(await find(request))
  if (url === '/docs.jsonld') ready.set(url, body)
  if (
    request.headers['if-none-match'] &&
    `"1-${hash('sha1', body, 'base64url')}"` === request.headers['if-none-match']
  ) {
    response.writeHead(304).end()
    return
  }
  const headers = { 'Content-Type': 'application/ld+json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) }
  response.writeHead(method === 'POST' ? 201 : 200, headers).end(body)
}

createServer(respond).listen(Number(process.env.PORT), '127.0.0.1')
