import { STATUS_CODES } from 'node:http'

/** One violation in a body: the property, the message, and the name of the rule. */
export interface Violation {
  propertyPath: string
  message: string
  code: string
}

/** An error response (RFC 9457). Any code may throw it; one place writes it. */
export class Problem extends Error {
  readonly status: number
  readonly headers: Record<string, string>

  /** A name that tells clients this problem from others with the same status. */
  readonly code: string | undefined

  /** @param detail the error and its remedy, in sentences for people */
  constructor(status: number, detail: string, headers: Record<string, string> = {}, code?: string) {
    super(detail)
    this.status = status
    this.headers = headers
    this.code = code
  }

  get title(): string {
    return STATUS_CODES[this.status] ?? 'Error'
  }

  /**
   * The problem as JSON-LD. Hydra's `title` and `description` have the values of RFC 9457's title and detail.
   * @param root the path that the server is served under
   */
  document(root: string): Record<string, unknown> {
    const { status, title, message, code } = this
    const iri = `${root}/errors/${status}`
    const head = { '@context': `${root}/contexts/Error`, '@id': iri, '@type': 'Error' }
    return { ...head, type: iri, title, status, detail: message, description: message, ...(code && { code }) }
  }
}

/** The error for an invalid body, with all its violations. */
export class ConstraintViolation extends Problem {
  readonly violations: Violation[]

  constructor(violations: Violation[]) {
    super(422, violations.map(({ propertyPath, message }) => `${propertyPath}: ${message}`).join('\n'))
    this.violations = violations
  }

  override document(root: string): Record<string, unknown> {
    return { ...super.document(root), '@type': 'ConstraintViolation', violations: this.violations }
  }
}
