import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import pg from 'pg'
import { v7 as uuid } from 'uuid'
import {
  context,
  instantOf,
  pageDocument,
  pageRequestOf,
  partsOf,
  type Row,
  readCursor,
  type Tenants,
} from './documents.ts'

/** The baseline of the benchmark: it sends the same bodies with node:http, pg and prepared statements only. */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const tenants: Tenants = JSON.parse(readFileSync(process.env.TENANTS as string, 'utf8'))
const columns = '"id", "employeeId", "dateFrom", "dateTo", "notes", "time"'
const tenant = 'FROM "meeting" WHERE "organizationId" = $1'

const node = (row: Row) => ({
  '@id': `/meetings/${row.id}`,
  '@type': 'Meeting',
  employee: row.employeeId && `/employees/${row.employeeId}`,
  dateFrom: instantOf(row.dateFrom),
  dateTo: instantOf(row.dateTo),
  notes: row.notes,
  time: instantOf(row.time),
})

async function item(organization: string, id: string): Promise<object> {
  const { rows } = await pool.query({
    name: 'item',
    text: `SELECT ${columns} ${tenant} AND "id" = $2`,
    values: [organization, id],
  })
  return { ...context, ...node(rows[0]) }
}

async function page(organization: string, url: string, authorization: string): Promise<object> {
  const request = pageRequestOf(url)
  const { employee, after } = request
  const where = employee ? `${tenant} AND "employeeId" = ANY($2)` : after ? `${tenant} AND "id" > $2` : tenant
  const further = employee ? [[employee]] : after ? [readCursor(after)] : []
  const values = [organization, ...further]
  const kind = employee ? 'filtered' : after ? 'deep' : 'page'
  const counting = after
    ? // A count of 100,000 rows takes longer than all else, so the baseline reads the kept total, too.
      {
        name: 'total',
        text: `SELECT sum("delta") AS count FROM "row_total" WHERE "relation" = 'meeting' AND "organizationId" = $1`,
        values: [organization],
      }
    : { name: `${kind}-count`, text: `SELECT count(*) ${where}`, values }
  const [{ rows }, count] = await Promise.all([
    pool.query({ name: kind, text: `SELECT ${columns} ${where} ORDER BY "id" LIMIT 30`, values }),
    pool.query(counting),
  ])
  return pageDocument(request, rows, rows.map(node), Number(count.rows[0].count), authorization)
}

async function post(organization: string, request: IncomingMessage): Promise<object> {
  const { employee, dateFrom, dateTo } = await bodyOf(request)
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

async function patch(organization: string, id: string, request: IncomingMessage): Promise<object> {
  const { notes } = await bodyOf(request)
  const { rows } = await pool.query({
    name: 'update',
    text: `UPDATE "meeting" SET "notes" = $3, "updatedAt" = $4, "version" = "version" + 1
      WHERE "organizationId" = $1 AND "id" = $2 RETURNING ${columns}`,
    values: [organization, id, notes, new Date()],
  })
  return { ...context, ...node(rows[0]) }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

const itemPath = '/meetings/'

async function find(request: IncomingMessage): Promise<object> {
  const { method, url = '', headers } = request
  const authorization = headers.authorization as string
  const organization = tenants[authorization]
  if (method === 'POST') return post(organization, request)
  if (method === 'PATCH') return patch(organization, url.slice(itemPath.length), request)
  if (url.startsWith(itemPath)) return item(organization, url.slice(itemPath.length))
  return url.startsWith('/meetings') ? page(organization, url, authorization) : partsOf(url, authorization)
}

/** Documents that are the same for every client, as text. */
const ready = new Map<string, string>()

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '' } = request
  const body = ready.get(url) ?? JSON.stringify(await find(request))
  if (url === '/docs.jsonld') ready.set(url, body)
  const headers = { 'Content-Type': 'application/ld+json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) }
  const condition = request.headers['if-none-match']
  // Only a conditional request pays for the hash.
  const etag = condition && `"${hash('sha1', body, 'base64url')}"`
  if (etag && etag === condition) response.writeHead(304).end()
  else response.writeHead(method === 'POST' ? 201 : 200, etag ? { ...headers, ETag: etag } : headers).end(body)
}

createServer(respond).listen(Number(process.env.PORT), '127.0.0.1')
