import { setTimeout as sleep } from 'node:timers/promises'
import { BankProblem } from './bank-problem.ts'
import { bodyOf, type KontomatikResponse } from './response-body.ts'

/** What is asked of Kontomatik: with neither a form nor JSON it is a GET. */
export interface KontomatikRequest {
  path: string
  query?: Record<string, string | undefined>
  form?: Record<string, string | undefined>
  json?: unknown
}

export interface KontomatikAccess {
  url: string
  apiKey: string
  /** Milliseconds for one attempt; all attempts together take at most twice as long. */
  timeout?: number
}

const attempts = 3

/** The way to Kontomatik: asks, reads, and asks again where that can do no harm. */
export class KontomatikConnection {
  readonly #url: string
  readonly #apiKey: string
  readonly #timeout: number

  constructor({ url, apiKey, timeout = 20_000 }: KontomatikAccess) {
    if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new Error('The API key of Kontomatik must be printable, without spaces.')
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new Error('The URL of Kontomatik must be absolute.')
    this.#url = url.replace(/(?<!\/)\/+$/, '')
    this.#apiKey = apiKey
    this.#timeout = timeout
  }

  /** @throws a BankProblem, also when `read` finds one in the answer. */
  async ask<T>(question: KontomatikRequest, read: (answer: KontomatikResponse) => T): Promise<T> {
    const end = Date.now() + this.#timeout
    for (let attempt = 1; ; attempt++) {
      try {
        return read(await this.#send(question))
      } catch (error) {
        const pause = 100 * 2 ** attempt * (0.5 + Math.random())
        if (!isHarmless(question, error) || attempt === attempts || Date.now() + pause > end) throw error
        await sleep(pause)
      }
    }
  }

  async #send({ path, query, form, json }: KontomatikRequest): Promise<KontomatikResponse> {
    const headers = new Headers({ 'x-api-key': this.#apiKey, accept: json ? 'application/json' : 'application/xml' })
    if (json) headers.set('content-type', 'application/json')
    try {
      const response = await fetch(`${this.#url}${path}${query ? `?${given(query)}` : ''}`, {
        method: form || json ? 'POST' : 'GET',
        headers,
        body: form ? given(form) : json ? JSON.stringify(json) : undefined,
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeout),
      })
      return await bodyOf(response)
    } catch (error) {
      throw error instanceof BankProblem ? error : failure(error)
    }
  }
}

/** What only reads may be repeated blindly; a command, which spends a quota, only if it never left. */
function isHarmless({ form, json }: KontomatikRequest, error: unknown): boolean {
  if (!(error instanceof BankProblem) || error.kind !== 'outage') return false
  return form || json ? error.name === 'NoConnection' : true
}

function given(fields: Record<string, string | undefined>): URLSearchParams {
  return new URLSearchParams(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  )
}

/** Nothing was sent yet when one of these happened. */
const unsent = 'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH UND_ERR_CONNECT_TIMEOUT'.split(' ')

/** The cause is read, not kept: what undici says of a request may quote it. */
function failure(error: unknown): BankProblem {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError') return new BankProblem({ name: 'Timeout', kind: 'outage', uncertain: true })
  if (cause?.message === 'unexpected redirect') return new BankProblem({ name: 'Redirected', kind: 'misconfigured' })
  if (unsent.includes(cause?.code ?? '')) return new BankProblem({ name: 'NoConnection', kind: 'outage' })
  return new BankProblem({ name: 'Disconnected', kind: 'outage', uncertain: true })
}
