import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { trace } from '@opentelemetry/api'
import express from 'express'
import { recordTraces } from '../../src/runtime/tracing/record-traces.ts'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { database, ending, tenant, tokenOf } = await openWorld()

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
}

/** The spans that a server has sent. */
const spans: Span[] = []
const headersSeen: (string | string[] | undefined)[] = []

/** A collector: it takes OTLP over HTTP, in JSON. */
const collector = createServer(async (request, response) => {
  headersSeen.push(request.url, request.headers['api-key'])
  const body = (await json(request)) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }
  for (const { scopeSpans } of body.resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans)
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json').end('{}')
})
let status = 200

const sender = '4bf92f3577b34da6a3ce929d0e0e4736'
const headers = {
  authorization: `Bearer ${await tokenOf(tenant.users.owner)}`,
  traceparent: `00-${sender}-00f067aa0ba902b7-01`,
}
const search = 'Zoekwoord'

beforeAll(async () => {
  await new Promise<void>((listening) => collector.listen(0, '127.0.0.1', listening))
  ending.unshift(() => new Promise<void>((closed) => collector.close(() => closed()).closeAllConnections()))
})

/** Serves with traces, sends requests, and stops, which sends the last spans. */
async function spansOf(trustProxy: string): Promise<Span[]> {
  spans.length = 0
  const server = new ServerProcess({
    ...serverEnvironment('tracing'),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret',
    TRUST_PROXY: trustProxy,
  })
  ending.unshift(() => server.close())
  await server.start()
  const base = `http://127.0.0.1:${server.port}`
  const list = await fetch(`${base}/employees?name=${search}`, { headers })
  const [{ id }] = (await (await fetch(`${base}/organizations`, { headers })).json()).member
  const item = await fetch(`${base}/organizations/${id}`, { headers })
  expect([list.status, item.status]).toEqual([200, 200])
  process.kill(server.pid, 'SIGTERM')
  await eventually(() => expect(spans.map(({ name }) => name)).toContain('GET /organizations/{id}'))
  expect(JSON.stringify(spans)).not.toContain(id)
  return spans
}

const attribute = (span: Span | undefined, key: string) => span?.attributes.find((one) => one.key === key)?.value

test('a request is a span named by its route, with its statements below, and without values', async () => {
  const sent = await spansOf('false')
  const request = sent.find(({ name }) => name === 'GET /organizations/{id}')
  expect(request?.kind).toBe(2)
  expect(attribute(request, 'http.route')).toEqual({ stringValue: '/organizations/{id}' })
  expect(attribute(request, 'http.response.status_code')).toEqual({ intValue: 200 })
  expect(attribute(request, 'request.id')?.stringValue).toMatch(/^[\da-f-]{36}$/)
  const statements = sent.filter(({ parentSpanId }) => parentSpanId === request?.spanId)
  expect(statements.length).toBeGreaterThan(0)
  for (const statement of statements) expect([statement.kind, statement.traceId]).toEqual([3, request?.traceId])
  expect(JSON.stringify(sent)).not.toContain(search)
  expect(headersSeen.slice(0, 2)).toEqual(['/v1/traces', 'secret'])
  // A client that is no trusted proxy does not choose the trace.
  expect(sent.filter(({ traceId }) => traceId === sender)).toEqual([])
})

test('the trace of a trusted proxy goes on', async () => {
  const sent = await spansOf('loopback')
  const request = sent.find(({ name }) => name === 'GET /employees')
  expect([request?.traceId, request?.parentSpanId]).toEqual([sender, '00f067aa0ba902b7'])
})

test('statements after the end of a request are not recorded, and a collector that fails gives one line of the log', async () => {
  spans.length = 0
  status = 400
  const lines: object[] = []
  const log = { warn: (...line: unknown[]) => void lines.push(line) }
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  const tracing = recordTraces({ endpoint, headers: {}, ratio: 1 }, log as never)
  const late = new EventEmitter()
  const queried = once(late, 'queried')
  const app = express()
    .use(tracing.trace)
    .get('/', async (_request, response) => {
      await database.query('SELECT 1')
      response.once('close', () =>
        setImmediate(async () => late.emit('queried', await database.query('DELETE FROM "change" WHERE false'))),
      )
      response.end()
    })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await queried
  await new Promise((closed) => server.close(closed).closeAllConnections())
  // So many spans are sent at once, the others at the end.
  for (let number = 0; number < 512; number += 1) trace.getTracer('test').startSpan('filling').end()
  await eventually(() => expect(lines).toHaveLength(1))
  trace.getTracer('test').startSpan('filling').end()
  await tracing.stop()
  const names = spans.map(({ name }) => name)
  expect(names.filter((name) => name !== 'filling').sort()).toEqual(['GET /', 'SELECT'])
  expect(names.filter((name) => name === 'filling')).toHaveLength(513)
  expect(lines).toEqual([
    [{ detail: expect.stringContaining('400') }, 'OpenTelemetry reported a failure: traces may be missing'],
  ])
})
