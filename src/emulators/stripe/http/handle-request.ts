import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Control } from '../control/control.ts'
import { controlResponse } from '../control/control-routes.ts'
import type { Fault, OrderedFaults } from '../control/ordered-faults.ts'
import { JournalWriteError } from '../objects/journal.ts'
import { errorResponse } from './api-error.ts'
import { parseForm } from './form.ts'
import type { ApiRequest, ApiResponse, StripeApi } from './stripe-api.ts'

/** Reads a request whole, lets befall it what was ordered, and writes the answer. */
export function requestListener(api: StripeApi, controls: Control, faults: OrderedFaults): RequestListener {
  return (request, response) => {
    handle(api, controls, faults, request, response).catch((error) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  }
}

async function handle(
  api: StripeApi,
  controls: Control,
  faults: OrderedFaults,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const { pathname, search } = new URL(request.url ?? '/', 'http://127.0.0.1')
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks).toString()
  const { method = 'GET', headers } = request
  if (pathname.startsWith('/local/')) {
    const shown = await controlResponse(controls, method, pathname, body)
    response.writeHead(shown.status, { 'content-type': shown.type }).end(shown.body)
    return
  }
  const form = [search.slice(1), body].filter(Boolean).join('&')
  const asked = { method, path: pathname, form, headers }
  const answer = await respondWithFaults(api, controls, faults, asked)
  const { 'idempotency-key': key, 'stripe-version': version } = headers
  controls.logRequest({
    method,
    path: pathname,
    params: parseForm(form),
    headers: { 'idempotency-key': key?.toString(), 'stripe-version': version?.toString() },
    status: answer?.status ?? 0,
  })
  if (answer) response.writeHead(answer.status, answer.headers).end(answer.body)
  else request.socket.destroy()
}

/** The answer, or nothing when the connection is to break. */
async function respondWithFaults(
  api: StripeApi,
  { account }: Control,
  faults: OrderedFaults,
  asked: ApiRequest,
): Promise<ApiResponse | undefined> {
  const opened = api.accept(asked)
  const order = faults.take(asked.method, asked.path)
  if (order?.kind === 'slow') await sleep(order.ms)
  const instead = order && faultResponse(order)
  if (typeof opened !== 'function')
    return order?.kind === 'cut' || order?.kind === 'lost' ? undefined : (instead ?? opened)
  if (instead || order?.kind === 'cut') {
    if (order.kind === 'status' && order.late) opened()
    api.endIdempotent(asked, order.kind === 'status' ? instead : undefined)
    return instead
  }
  if (order?.kind === 'decline') account.declineCode = order.code
  if (order?.kind === 'behind') account.listLagSeconds = order.seconds ?? 3600
  try {
    const answer = opened()
    return order?.kind === 'lost' ? undefined : answer
  } catch (error) {
    // Nothing was done, so the same request may be sent again.
    if (error instanceof JournalWriteError) return api.endIdempotent(asked)
    throw error
  }
}

/** The response that a fault sends instead of the API's, if it sends one. */
function faultResponse(order: Fault): ApiResponse | undefined {
  if (order.kind === 'html') {
    const body = '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>'
    return { status: order.status ?? 502, headers: { 'content-type': 'text/html' }, body }
  }
  if (order.kind === 'nonsense') {
    const body = order.body ?? (order.truncated ? '{"id": "sub_' : '{"greeting": "hello"}')
    return { status: order.status ?? 200, headers: { 'content-type': 'application/json' }, body }
  }
  if (order.kind !== 'status') return
  const { status, retryAfter } = order
  const limited = status === 429
  const { error } = errorResponse(status, limited ? 'Too many requests' : 'An unknown error occurred', {
    type: limited ? 'invalid_request_error' : 'api_error',
    ...(limited && { code: 'rate_limit' }),
  })
  const headers = { 'content-type': 'application/json', ...(retryAfter && { 'retry-after': String(retryAfter) }) }
  return { status, headers, body: JSON.stringify({ error }, null, 2) }
}
