import type { IncomingHttpHeaders } from 'node:http'
import { catchUp } from '../billing/due-work.ts'
import { find } from '../endpoints/routes.ts'
import { type Account, apiVersion } from '../objects/account.ts'
import { Unwritten } from '../objects/journal.ts'
import { faultOf, Refusal, type StripeFault } from './api-error.ts'
import { type Keys, keyOf, refuseKey, refusePermission } from './api-keys.ts'
import { expand } from './expand.ts'
import { type Params, parse } from './form.ts'
import { Idempotency } from './idempotent-requests.ts'
import { texts } from './parameter-values.ts'
import { refuseParameters } from './parameters.ts'
import type { Route } from './route.ts'

export interface Asked {
  method: string
  path: string
  form: string
  headers: IncomingHttpHeaders
}

export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** What one request turned out to be, before anything is done about it. */
interface Opened extends Asked {
  request: string
  params: Params
  key: string | undefined
  publishable: boolean
  found: { route: Route; id: string }
}

/** Stripe's API: a request goes past the key, the idempotency, the parameters, and then to what it is for. */
export class Api {
  private readonly idempotency: Idempotency

  constructor(
    private readonly account: Account,
    private readonly keys: Keys,
  ) {
    this.idempotency = new Idempotency(() => account.now())
  }

  /** Either the answer already, or what is to be done; time may go by in between. */
  open(asked: Asked): Answer | (() => Answer) {
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
      return { status, headers: { ...headers, ...more }, body: typeof body === 'string' ? body : written(body) }
    }
    const refuse = ({ status, error }: StripeFault) => answer(status, { error })

    const found = find(asked.method, asked.path)
    const presented = keyOf(asked.headers)
    const barred = refuseKey(presented, this.keys, found?.route.open ?? false)
    if (barred) return refuse(barred)
    if (!found) return refuse(unknown(asked))
    const forbidden = refusePermission(presented, this.keys, asked.method, found.route.path)
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
      const outcome = this.carryOut({ ...asked, request, params: parse(asked.form), key, publishable, found })
      const done = 'error' in outcome ? refuse(outcome) : answer(200, outcome.object)
      if (key) this.idempotency.end(key, done.status, done.body)
      return done
    }
  }

  /** Takes note of what was answered instead; what never came so far, or was not answered, may be sent again. */
  end({ headers }: Asked, { status, body }: Pick<Answer, 'status' | 'body'> = { status: 503, body: '' }): undefined {
    this.idempotency.end(String(headers['idempotency-key']), status, body)
  }

  private carryOut(opened: Opened): StripeFault | { object: object } {
    const { account } = this
    const fault = refuse(opened)
    if (fault) return fault
    try {
      catchUp(account, account.now())
      account.request = { id: opened.request, idempotency_key: opened.key ?? null }
      return {
        object: account.attempt(
          () => answered(account, opened),
          (error) => error instanceof Refusal && error.kept,
        ),
      }
    } catch (error) {
      if (error instanceof Refusal) return error.fault
      if (error instanceof Unwritten) throw error
      return faultOf(500, `The local Stripe failed: ${error}`, { type: 'api_error' })
    } finally {
      account.request = { id: null, idempotency_key: null }
      account.declining = null
      account.behind = 0
    }
  }
}

/** An answer that cannot be given as asked undoes what was done. */
function answered(account: Account, { found, params, publishable }: Opened): object {
  const answer = found.route.handle({ account, params, publishable, id: found.id })
  return expand(account, answer, texts(params, 'expand'))
}

function refuse({ method, params, found: { route } }: Opened): StripeFault | undefined {
  const { client_secret: _, ...published } = params
  const fault = refuseParameters(method, route.path, route.open ? published : params)
  if (fault) return fault
  const taken = new Set(['expand', ...(route.takes?.split(' ') ?? [])])
  const beyond = Object.keys(params).find((name) => !taken.has(name))
  if (!beyond) return
  return faultOf(400, `The local Stripe does not know what to do with "${beyond}" in ${method} ${route.path}.`, {
    code: 'local_unsupported',
    param: beyond,
  })
}

function unknown({ method, path }: Asked): StripeFault {
  return faultOf(
    404,
    `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
  )
}

const written = (body: object) => `${JSON.stringify(body, null, 2)}\n`
