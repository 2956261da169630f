import { ConstraintViolation, Problem } from '../hydra/index.ts'
import type { BankProblem, BankProblemKind } from './kontomatik/bank-problem.ts'

/** What has gone wrong, as clients are told; Kontomatik's own names are for the operator. */
export type ErrorCode = keyof typeof troubles

interface Said {
  status: number
  detail: string
  /** Seconds after which it may be tried again. */
  retry?: number
}

const troubles = {
  provider_misconfigured: { status: 502, detail: 'Kontomatik does not know this server; its operator has been told.' },
  provider_error: { status: 502, detail: 'Kontomatik answered something that makes no sense here.' },
  provider_busy: { status: 503, detail: 'Too many imports run at the moment: try again in a minute.', retry: 60 },
  provider_unavailable: {
    status: 503,
    detail: 'Kontomatik cannot be reached at the moment: try again later.',
    retry: 60,
  },
  provider_timeout: { status: 504, detail: 'Kontomatik did not answer in time: repeat the request to continue.' },
  limit_reached: { status: 429, detail: 'The bank allows four imports of an account in 24 hours.', retry: 3600 },
  consent_expired: { status: 409, detail: 'The consent has ended: link the bank again.' },
  session_invalid: { status: 502, detail: 'The sign-in at the bank is over: link the bank again.' },
  bank_not_supported: { status: 422, detail: 'This bank cannot be imported from.' },
  organization_frozen: { status: 403, detail: 'The organization was suspended or closed while the import ran.' },
  since_refused: { status: 422, detail: 'The bank gives no data from that long ago: send a later "since".' },
} satisfies Record<string, Said>

const byKind: Record<BankProblemKind, ErrorCode> = {
  'session-gone': 'session_invalid',
  'session-used': 'provider_error',
  'access-gone': 'consent_expired',
  limit: 'limit_reached',
  busy: 'provider_busy',
  misconfigured: 'provider_misconfigured',
  unsupported: 'bank_not_supported',
  outage: 'provider_unavailable',
  ours: 'provider_error',
  unknown: 'provider_error',
}

export function errorCodeOf(problem: BankProblem): ErrorCode {
  return problem.timedOut ? 'provider_timeout' : byKind[problem.kind]
}

/** The same as an answer: where the client has sent what is wrong, that is named. */
export function problemOfErrorCode(trouble: string, propertyPath: string, until?: Date | null): Problem {
  const known = (trouble in troubles ? trouble : 'provider_error') as ErrorCode
  const { status, detail, retry }: Said = troubles[known]
  if (status === 422) return violation(propertyPath, detail, known)
  const seconds = until ? Math.max(1, Math.ceil((until.getTime() - Date.now()) / 1000)) : retry
  return new Problem(status, detail, seconds ? { 'Retry-After': `${seconds}` } : {}, known)
}

export function violation(propertyPath: string, message: string, code: string): ConstraintViolation {
  return new ConstraintViolation([{ propertyPath, message, code }])
}
