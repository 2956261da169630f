import { setTimeout as sleep } from 'node:timers/promises'
import { BankProblem } from './bank-problem.ts'
import { bodyOf, type KontomatikResponse } from './response-body.ts'

/** A request to Kontomatik: a POST with a form or with JSON, else a GET. */
export interface KontomatikRequest {
  path: string
  query?: Record<string, string | undefined>
  form?: Record<string, string | undefined>
  json?: unknown
}

export interface KontomatikAccess {
  url: string
  apiKey: string
  /** The limit for one attempt. All attempts together take at most twice as long. */
  timeoutMs?: number
}

const maxAttempts = 3

/** Sends requests to Kontomatik, and retries those that are safe to repeat. */
export class KontomatikConnection {
  readonly #url: string
  readonly #apiKey: string
  readonly #timeoutMs: number

  constructor({ url, apiKey, timeoutMs = 20_000 }: KontomatikAccess) {
    if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new Error('The API key of Kontomatik must be printable, without spaces.')
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new Error('The URL of Kontomatik must be absolute.')
    this.#url = url.replace(/(?<!\/)\/+$/, '')
    this.#apiKey = apiKey
    this.#timeoutMs = timeoutMs
  }

  /** @throws a BankProblem where the request fails, or `read` finds a failure in the response */
  async request<T>(request: KontomatikRequest, read: (response: KontomatikResponse) => T): Promise<T> {
    const end = Date.now() + this.#timeoutMs
    for (let attempt = 1; ; attempt++) {
      try {
        return read(await this.#send(request))
      } catch (error) {
        const pauseMs = 100 * 2 ** attempt * (0.5 + Math.random())
        if (!isSafeToRetry(request, error) || attempt === maxAttempts || Date.now() + pauseMs > end) throw error
        await sleep(pauseMs)
      }
    }
  }

  async #send({ path, query, form, json }: KontomatikRequest): Promise<KontomatikResponse> {
    const headers = new Headers({ 'x-api-key': this.#apiKey, accept: json ? 'application/json' : 'application/xml' })
    if (json) headers.set('content-type', 'application/json')
    try {
      const response = await fetch(`${this.#url}${path}${query ? `?${definedFields(query)}` : ''}`, {
        method: form || json ? 'POST' : 'GET',
        headers,
        body: form ? definedFields(form) : json ? JSON.stringify(json) : undefined,
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
      })
      return await bodyOf(response)
    } catch (error) {
      throw error instanceof BankProblem ? error : asConnectionProblem(error)
    }
  }
}

/** A GET may be repeated. A command, which spends a quota, may be repeated only if it was not sent. */
function isSafeToRetry({ form, json }: KontomatikRequest, error: unknown): boolean {
  if (!(error instanceof BankProblem) || error.kind !== 'outage') return false
  return form || json ? error.name === 'NoConnection' : true
}

function definedFields(fields: Record<string, string | undefined>): URLSearchParams {
  return new URLSearchParams(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  )
}

/** Errors that occur before anything is sent. */
const errorsBeforeSending = 'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH UND_ERR_CONNECT_TIMEOUT'.split(
  ' ',
)

/** The cause is not kept, because undici's messages may quote the request. */
function asConnectionProblem(error: unknown): BankProblem {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError') return new BankProblem({ name: 'Timeout', kind: 'outage', uncertain: true })
  if (cause?.message === 'unexpected redirect') return new BankProblem({ name: 'Redirected', kind: 'misconfigured' })
  if (errorsBeforeSending.includes(cause?.code ?? '')) return new BankProblem({ name: 'NoConnection', kind: 'outage' })
  return new BankProblem({ name: 'Disconnected', kind: 'outage', uncertain: true })
}
