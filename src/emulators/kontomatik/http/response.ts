import { STATUS_CODES } from 'node:http'
import { element, type Markup } from './markup.ts'

/** A request whose body has been read. */
export interface KontomatikRequest {
  method: string
  path: string
  query: URLSearchParams
  body: string
  type: string
}

export interface KontomatikResponse {
  status: number
  headers: Record<string, string>
  body: string
}

/** A no of Kontomatik's, by the name of its exception. */
export class KontomatikError extends Error {
  readonly status: number

  constructor(name: string, message = 'The local Kontomatik says so.') {
    super(message)
    this.name = name
    this.status = statuses[name] ?? 400
  }
}

const statuses: Record<string, number> = {
  InvalidSessionId: 404,
  SessionExpired: 404,
  InvalidMultipleAccessId: 404,
  InvalidCommandId: 404,
  MultipleAccessLimitExceeded: 429,
  JobsQuotaExceeded: 429,
  ServiceMaintenance: 503,
  ServiceTemporarilyUnavailable: 503,
}

export function xmlReply(status: number, ...children: Markup[]): KontomatikResponse {
  const line = `${status} ${STATUS_CODES[status]}`
  const { markup } = element(
    'reply',
    { status: line, user: 'local', responseTimestamp: new Date().toISOString() },
    ...children,
  )
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${markup}\n`
  return { status, headers: { 'content-type': 'application/xml;charset=UTF-8' }, body }
}

export function jsonResponse(value: unknown, status = 200): KontomatikResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

export function exceptionElement({ name, message }: { name: string; message: string }): Markup {
  return element('exception', { name }, element('message', {}, message), element('friendlyMessage', {}, message))
}

/** Signing in answers in JSON, also with its errors. */
export function errorResponse(refusal: KontomatikError, path: string): KontomatikResponse {
  const { name, message, status } = refusal
  if (path.startsWith('/v1/signin/')) return jsonResponse({ exception: { name, message } }, status)
  return xmlReply(status, exceptionElement(refusal))
}

/** Kontomatik names no exception here, but what it thinks of the key and the address. */
export function unauthorized(key: string, address: string): KontomatikResponse {
  return xmlReply(401, element('comment', {}, `Check your IP ${address} and your key ${key.slice(0, 4)}****.`))
}
