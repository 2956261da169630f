/** What a fault means for us, whatever it is called: the rows of Kontomatik's list of exceptions. */
export type BankProblemKind =
  | 'session-gone'
  | 'session-used'
  | 'access-gone'
  | 'limit'
  | 'busy'
  | 'misconfigured'
  | 'unsupported'
  | 'outage'
  | 'ours'
  | 'unknown'

/** When the same may be asked again: never, once in a new session, within seconds, or within hours. */
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
  ours: 'never',
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
    ours: 'InvalidSince InvalidParameter InvalidOwnerExternalId InvalidArgument InvalidIban InvalidCommandId',
  }).flatMap(([kind, names]) => names.split(' ').map((name) => [name, kind as BankProblemKind] as const)),
)

interface Circumstances {
  name: string
  kind: BankProblemKind
  uncertain?: boolean
}

/** Kontomatik, or the way to it, failed us. It carries nothing that Kontomatik wrote but the exception's name. */
export class BankProblem extends Error {
  readonly kind: BankProblemKind
  /** A command may have been carried out all the same, as no readable answer came: never just send it again. */
  readonly uncertain: boolean

  constructor({ name, kind, uncertain = false }: Circumstances) {
    super(`Kontomatik failed with ${name} (${kind}).`)
    this.name = name
    this.kind = kind
    this.uncertain = uncertain
  }

  /** An exception by its name, which is all that tells one from another; the list is open and may grow. */
  static of(exception: string | undefined, otherwise: BankProblemKind = 'unknown'): BankProblem {
    const name = exception && /^[A-Z][A-Za-z]{1,59}$/.test(exception) ? exception : 'Unnamed'
    return new BankProblem({ name, kind: exceptions.get(name) ?? otherwise })
  }

  /** An HTTP status without an exception; what a 401 says besides holds the key and our address, and stays here. */
  static ofStatus(status: number): BankProblem {
    const name = `Http${status}`
    if (status === 401 || status === 403) return new BankProblem({ name, kind: 'misconfigured' })
    if (status === 429) return new BankProblem({ name, kind: 'busy' })
    if (status === 408 || status >= 500) return new BankProblem({ name, kind: 'outage', uncertain: true })
    return new BankProblem({ name, kind: 'unknown' })
  }

  /** An answer that is not Kontomatik's, such as the page of a proxy, or one that was cut. */
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

/** Returns a failure of Kontomatik. @throws any other error again */
export function asBankProblem(error: unknown): BankProblem {
  if (error instanceof BankProblem) return error
  throw error
}
