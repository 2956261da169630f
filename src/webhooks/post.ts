import * as http from 'node:http'
import * as https from 'node:https'
import { lookupFor, PrivateAddress } from './public-lookup.ts'
import type { AllowedHosts } from './receiver-url.ts'
import { readRetryAfter } from './retry-schedule.ts'

/** The time for the connection and the whole response. It ends before the lease of a delivery. */
const usualTimeoutMs = 15_000

/** The bytes of a response that are read; its connection is closed then. */
const mostBytes = 64 * 1024

/** The characters of a response that are stored. */
const mostCharacters = 1000

/** The result of an attempt. */
export interface Answer {
  status?: number
  body?: string
  /** Seconds that the receiver asks to wait. */
  retryAfter?: number
  /** Why the attempt failed; undefined where the receiver accepted the message. */
  error?: string
}

interface PostOptions {
  allowedHosts: AllowedHosts
  timeoutMs?: number
  signal: AbortSignal
}

/** Sends a message once. Redirects are not followed, because they could lead to a private network. */
export async function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
  { allowedHosts, signal, timeoutMs = usualTimeoutMs }: PostOptions,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await send(url, headers, body, {
      lookup: lookupFor(url, allowedHosts) as never,
      signal: AbortSignal.any([signal, timeout]),
    })
    const { statusCode: status = 0 } = response
    const answer = {
      status,
      body: await readStart(response),
      retryAfter: readRetryAfter(response.headers['retry-after']),
    }
    return status >= 200 && status < 300 ? answer : { ...answer, error: refusalOf(status) }
  } catch (error) {
    return {
      error: timeout.aborted ? `The receiver did not answer within ${timeoutMs / 1000} seconds.` : reasonOf(error),
    }
  }
}

function send(
  url: URL,
  headers: Record<string, string>,
  body: string,
  options: https.RequestOptions,
): Promise<http.IncomingMessage> {
  const content = Buffer.from(body)
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http
    const sending = request(url, {
      ...options,
      method: 'POST',
      // Without the shared agent, no connection is used again, and no proxy of the environment is asked.
      agent: false,
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': content.length,
        'User-Agent': 'Organization-API-Webhooks',
        ...headers,
      },
    })
    sending.on('response', resolve).on('error', reject)
    // Where the receiver changes the protocol, Node emits this event alone.
    sending.on('close', () => reject(Object.assign(new Error('No response came.'), { code: 'no response' })))
    sending.end(content)
  })
}

/** The start of a body as text that Postgres can store. */
async function readStart(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= mostBytes) break
  }
  response.destroy()
  const text = Buffer.concat(chunks).toString('utf8').replaceAll('\0', '')
  return [...text.slice(0, 2 * mostCharacters)].slice(0, mostCharacters).join('')
}

function refusalOf(status: number): string {
  if (status >= 300 && status < 400) return `The receiver answered ${status}, and redirects are not followed.`
  return `The receiver answered ${status}.`
}

function reasonOf(error: unknown): string {
  const { code = 'unknown', message, errors } = error as { code?: string; message: string; errors?: unknown[] }
  if (error instanceof PrivateAddress || code === 'ENOTFOUND') return message
  if (errors?.length) return reasonOf(errors[0])
  if (code === 'ECONNREFUSED') return 'The receiver refused the connection.'
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ISSUER/.test(code))
    return `The certificate of the receiver is not valid: ${code}.`
  return `The connection to the receiver failed: ${code}.`
}
