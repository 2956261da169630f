import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import pg from 'pg'
import { v7 as uuid } from 'uuid'

/** The same answers with nothing around them: node:http, pg and prepared statements; what the API is measured against. */
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

async function item(id: string): Promise<object> {
  const { rows } = await pool.query({
    name: 'item',
    text: `SELECT ${columns} ${tenant} AND "id" = $2`,
    values: [organization, id],
  })
  return { ...context, ...node(rows[0]) }
}

async function page(): Promise<object> {
  const [{ rows }, count] = await Promise.all([
    pool.query({
      name: 'page',
      text: `SELECT ${columns} ${tenant} ORDER BY "id" LIMIT 30 OFFSET 0`,
      values: [organization],
    }),
    pool.query({ name: 'count', text: `SELECT count(*) ${tenant}`, values: [organization] }),
  ])
  const total = Number(count.rows[0].count)
  const view = {
    '@id': '/meetings?page=1',
    '@type': 'PartialCollectionView',
    first: '/meetings?page=1',
    last: `/meetings?page=${Math.ceil(total / 30)}`,
    next: '/meetings?page=2',
  }
  return { ...context, '@id': '/meetings', '@type': 'Collection', totalItems: total, member: rows.map(node), view }
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
    text: `INSERT INTO "meeting" ("id", "organizationId", "createdAt", "updatedAt", "version", "employeeId", "dateFrom", "dateTo") VALUES ($1, $2, $3, $3, 1, $4, $5, $6)`,
    values: [id, organization, now, employeeId, dateFrom, dateTo],
  })
  return {
    ...context,
    ...node({ id, employeeId, dateFrom: new Date(dateFrom), dateTo: new Date(dateTo), notes: null, time: null }),
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '' } = request
  const found = await (method === 'POST'
    ? post(request)
    : url === '/meetings'
      ? page()
      : item(url.slice('/meetings/'.length)))
  const body = JSON.stringify(found)
  const headers = { 'Content-Type': 'application/ld+json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) }
  response.writeHead(method === 'POST' ? 201 : 200, headers).end(body)
}

createServer(answer).listen(Number(process.env.PORT), '127.0.0.1')
