import type { IncomingHttpHeaders } from 'node:http'
import { runDueWork } from '../billing/due-work.ts'
import { findRoute } from '../endpoints/routes.ts'
import { type Account, apiVersion } from '../objects/account.ts'
import { JournalWriteError } from '../objects/journal.ts'
import { type ErrorResponse, errorResponse, StripeError } from './api-error.ts'
import { type ApiKeys, apiKeyError, permissionError, readApiKey } from './api-keys.ts'
import { expand } from './expand.ts'
import { type Params, parseForm } from './form.ts'
import { IdempotencyKeys } from './idempotent-requests.ts'
import { texts } from './parameter-values.ts'
import { parameterError } from './parameters.ts'
import type { Route } from './route.ts'

export interface ApiRequest {
  method: string
  path: string
  form: string
  headers: IncomingHttpHeaders
}

export interface ApiResponse {
  status: number
  headers: Record<string, string>
  body: string
}

/** A request with its route, parameters and idempotency key, before it is executed. */
interface AcceptedRequest extends ApiRequest {
  request: string
  params: Params
  key: string | undefined
  publishable: boolean
  found: { route: Route; id: string }
}

/** Stripe's API: a request passes the key, the idempotency and the parameters, and then reaches its endpoint. */
export class StripeApi {
  private readonly idempotency: IdempotencyKeys

  constructor(
    private readonly account: Account,
    private readonly keys: ApiKeys,
  ) {
    this.idempotency = new IdempotencyKeys(() => account.now())
  }

  /** Either the answer already, or what is to be done; time may go by in between. */
  accept(asked: ApiRequest): ApiResponse | (() => ApiResponse) {
    const request = this.account.ids.next('req_', 14)
    const own = asked.headers['idempotency-key']
    const key = asked.method === 'POST' && typeof own === 'string' && own ? own : undefined
    const headers = {
      'content-type': 'application/json',
      'request-id': request,
      'stripe-version': String(asked.headers['stripe-version'] ?? apiVersion),
      ...(key && { 'idempotency-key': key }),
    }
    const answer = (status: number, body: object | string, more = {}) => {
      return { status, headers: { ...headers, ...more }, body: typeof body === 'string' ? body : formatJson(body) }
    }
    const refuse = ({ status, error }: ErrorResponse) => answer(status, { error })

    const found = findRoute(asked.method, asked.path)
    const presented = readApiKey(asked.headers)
    const barred = apiKeyError(presented, this.keys, found?.route.allowsPublishableKey ?? false)
    if (barred) return refuse(barred)
    if (!found) return refuse(unknownUrl(asked))
    const forbidden = permissionError(presented, this.keys, asked.method, found.route.path)
    if (forbidden) return refuse(forbidden)

    if (key) {
      const before = this.idempotency.begin(key, asked.path, asked.form, request)
      if (before && 'error' in before) return refuse(before)
      if (before?.answer) {
        const { status, body } = before.answer
        return answer(status, body, { 'idempotent-replayed': 'true', 'original-request': before.request })
      }
    }
    return () => {
      const publishable = presented === this.keys.publishableKey
      const outcome = this.execute({ ...asked, request, params: parseForm(asked.form), key, publishable, found })
      const done = 'error' in outcome ? refuse(outcome) : answer(200, outcome.object)
      if (key) this.idempotency.end(key, done.status, done.body)
      return done
    }
  }

  /** Records the response that replaced another. A request that did not arrive, or got no response, may be sent again. */
  endIdempotent(
    { headers }: ApiRequest,
    { status, body }: Pick<ApiResponse, 'status' | 'body'> = { status: 503, body: '' },
  ): undefined {
    this.idempotency.end(String(headers['idempotency-key']), status, body)
  }

  private execute(opened: AcceptedRequest): ErrorResponse | { object: object } {
    const { account } = this
    const fault = requestError(opened)
    if (fault) return fault
    try {
      runDueWork(account, account.now())
      account.request = { id: opened.request, idempotency_key: opened.key ?? null }
      return {
        object: account.transaction(
          () => runRoute(account, opened),
          (error) => error instanceof StripeError && error.kept,
        ),
      }
    } catch (error) {
      if (error instanceof StripeError) return error.response
      if (error instanceof JournalWriteError) throw error
      return errorResponse(500, `The local Stripe failed: ${error}`, { type: 'api_error' })
    } finally {
      account.request = { id: null, idempotency_key: null }
      account.declineCode = null
      account.listLagSeconds = 0
    }
  }
}

/** An answer that cannot be given as asked undoes what was done. */
function runRoute(account: Account, { found, params, publishable }: AcceptedRequest): object {
  const answer = found.route.handle({ account, params, publishable, id: found.id })
  return expand(account, answer, texts(params, 'expand'))
}

function requestError({ method, params, found: { route } }: AcceptedRequest): ErrorResponse | undefined {
  const { client_secret: _, ...published } = params
  const fault = parameterError(method, route.path, route.allowsPublishableKey ? published : params)
  if (fault) return fault
  const taken = new Set(['expand', ...(route.parameters?.split(' ') ?? [])])
  const beyond = Object.keys(params).find((name) => !taken.has(name))
  if (!beyond) return
  return errorResponse(400, `The local Stripe does not know what to do with "${beyond}" in ${method} ${route.path}.`, {
    code: 'local_unsupported',
    param: beyond,
  })
}

function unknownUrl({ method, path }: ApiRequest): ErrorResponse {
  return errorResponse(
    404,
    `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
  )
}

const formatJson = (body: object) => `${JSON.stringify(body, null, 2)}\n`
