import { STATUS_CODES } from 'node:http'

/** One fault of a body: which property, what is wrong with it in words, and the name of the rule. */
export interface Violation {
  propertyPath: string
  message: string
  code: string
}

/** An answer that is not the one asked for; thrown from anywhere, written in one place (RFC 9457). */
export class Problem extends Error {
  readonly status: number
  readonly headers: Record<string, string>

  /** Which of several problems with this status it is, where a program must know. */
  readonly code: string | undefined

  /** @param detail what is wrong and what to do about it, for a person. */
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
   * It as JSON-LD; `title` and `description` are Hydra's words for what RFC 9457 calls title and detail.
   * @param root the path that the server is served under
   */
  document(root: string): Record<string, unknown> {
    const { status, title, message, code } = this
    const iri = `${root}/errors/${status}`
    const head = { '@context': `${root}/contexts/Error`, '@id': iri, '@type': 'Error' }
    return { ...head, type: iri, title, status, detail: message, description: message, ...(code && { code }) }
  }
}

/** A body that breaks rules, with every one of them named. */
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
