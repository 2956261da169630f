/** The groups of Kontomatik's exceptions that this server handles alike. */
export type BankProblemKind =
  | 'session-gone'
  | 'session-used'
  | 'access-gone'
  | 'limit'
  | 'busy'
  | 'misconfigured'
  | 'unsupported'
  | 'outage'
  | 'invalid-request'
  | 'unknown'

/** When the same request may be sent again: never, once in a new session, within seconds, or within hours. */
export type Retry = 'never' | 'new-session' | 'soon' | 'later'

const retries: Record<BankProblemKind, Retry> = {
  'session-gone': 'new-session',
  'session-used': 'new-session',
  'access-gone': 'never',
  limit: 'later',
  busy: 'soon',
  misconfigured: 'never',
  unsupported: 'never',
  outage: 'soon',
  'invalid-request': 'never',
  unknown: 'never',
}

const exceptions = new Map<string, BankProblemKind>(
  Object.entries({
    'session-gone': 'InvalidSessionId SessionExpired InvalidSessionIdSignature NotSignedIn',
    'session-used': 'DefaultImportAlreadyExecuted',
    'access-gone': 'InvalidMultipleAccessId',
    limit: 'MultipleAccessLimitExceeded',
    busy: 'JobsQuotaExceeded ConcurrentSessionsLimitExceed ConcurrentSessionsLimitExceeded',
    unsupported: 'CommandNotAvailable InvalidTarget',
    outage: 'ServiceMaintenance ServiceTemporarilyUnavailable IOException',
    'invalid-request':
      'InvalidSince InvalidParameter InvalidOwnerExternalId InvalidArgument InvalidIban InvalidCommandId',
  }).flatMap(([kind, names]) => names.split(' ').map((name) => [name, kind as BankProblemKind] as const)),
)

interface ProblemOptions {
  name: string
  kind: BankProblemKind
  uncertain?: boolean
}

/** A failure of Kontomatik or of the connection. The exception's name is the only text of Kontomatik that it holds. */
export class BankProblem extends Error {
  readonly kind: BankProblemKind
  /** No readable response came, so Kontomatik may have executed the command. It must not be sent again as it is. */
  readonly uncertain: boolean

  constructor({ name, kind, uncertain = false }: ProblemOptions) {
    super(`Kontomatik failed with ${name} (${kind}).`)
    this.name = name
    this.kind = kind
    this.uncertain = uncertain
  }

  /** The name alone distinguishes exceptions. Kontomatik's list may grow. */
  static of(exception: string | undefined, otherwise: BankProblemKind = 'unknown'): BankProblem {
    const name = exception && /^[A-Z][A-Za-z]{1,59}$/.test(exception) ? exception : 'Unnamed'
    return new BankProblem({ name, kind: exceptions.get(name) ?? otherwise })
  }

  /** An HTTP status without an exception. The body of a 401 contains the API key and is not kept. */
  static ofStatus(status: number): BankProblem {
    const name = `Http${status}`
    if (status === 401 || status === 403) return new BankProblem({ name, kind: 'misconfigured' })
    if (status === 429) return new BankProblem({ name, kind: 'busy' })
    if (status === 408 || status >= 500) return new BankProblem({ name, kind: 'outage', uncertain: true })
    return new BankProblem({ name, kind: 'unknown' })
  }

  /** A response that is not Kontomatik's, such as the page of a proxy, or that is truncated. */
  static unreadable(): BankProblem {
    return new BankProblem({ name: 'Unreadable', kind: 'outage', uncertain: true })
  }

  get retry(): Retry {
    return retries[this.kind]
  }

  get timedOut(): boolean {
    return this.name === 'Timeout'
  }
}

/** @throws the error itself where it is no failure of Kontomatik */
export function asBankProblem(error: unknown): BankProblem {
  if (error instanceof BankProblem) return error
  throw error
}
