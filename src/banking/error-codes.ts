import { ConstraintViolation, Problem } from '../hydra/index.ts'
import type { BankProblem, BankProblemKind } from './kontomatik/bank-problem.ts'

/** The error codes that clients see. Kontomatik's own exception names are for the operator's log. */
export type ErrorCode = keyof typeof responses

interface ErrorResponse {
  status: number
  detail: string
  /** The value of Retry-After. */
  retrySeconds?: number
}

const responses = {
  provider_misconfigured: {
    status: 502,
    detail: 'Kontomatik rejects the credentials of this server. Its operator must correct them.',
  },
  provider_error: { status: 502, detail: 'Kontomatik sent a response that this server cannot use.' },
  provider_busy: {
    status: 503,
    detail: 'Too many imports run at the moment: try again in a minute.',
    retrySeconds: 60,
  },
  provider_unavailable: {
    status: 503,
    detail: 'Kontomatik cannot be reached at the moment: try again later.',
    retrySeconds: 60,
  },
  provider_timeout: { status: 504, detail: 'Kontomatik did not respond in time: repeat the request to continue.' },
  limit_reached: { status: 429, detail: 'The bank allows four imports of an account in 24 hours.', retrySeconds: 3600 },
  consent_expired: { status: 409, detail: 'The consent has ended: link the bank again.' },
  session_invalid: { status: 502, detail: 'The sign-in at the bank is over: link the bank again.' },
  bank_not_supported: { status: 422, detail: 'Imports from this bank are not supported.' },
  organization_frozen: { status: 403, detail: 'The organization was suspended or closed while the import ran.' },
  since_refused: { status: 422, detail: 'The bank has no data from that day: send a later "since".' },
} satisfies Record<string, ErrorResponse>

const codeOfKind: Record<BankProblemKind, ErrorCode> = {
  'session-gone': 'session_invalid',
  'session-used': 'provider_error',
  'access-gone': 'consent_expired',
  limit: 'limit_reached',
  busy: 'provider_busy',
  misconfigured: 'provider_misconfigured',
  unsupported: 'bank_not_supported',
  outage: 'provider_unavailable',
  'invalid-request': 'provider_error',
  unknown: 'provider_error',
}

export function errorCodeOf(problem: BankProblem): ErrorCode {
  return problem.timedOut ? 'provider_timeout' : codeOfKind[problem.kind]
}

/** The response for an error code: a violation of `propertyPath` where the client's value caused the error. */
export function problemOfErrorCode(code: string, propertyPath: string, until?: Date | null): Problem {
  const known = (code in responses ? code : 'provider_error') as ErrorCode
  const { status, detail, retrySeconds }: ErrorResponse = responses[known]
  if (status === 422) return violation(propertyPath, detail, known)
  const seconds = until ? Math.max(1, Math.ceil((until.getTime() - Date.now()) / 1000)) : retrySeconds
  return new Problem(status, detail, seconds ? { 'Retry-After': `${seconds}` } : {}, known)
}

export function violation(propertyPath: string, message: string, code: string): ConstraintViolation {
  return new ConstraintViolation([{ propertyPath, message, code }])
}
