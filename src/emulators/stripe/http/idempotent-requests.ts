import { createHash } from 'node:crypto'
import { day } from '../objects/clock.ts'
import { type ErrorResponse, errorResponse } from './api-error.ts'

interface StoredRequest {
  endpoint: string
  digest: string
  since: number
  request: string
  answer: { status: number; body: string } | null
}

const maxKeys = 10_000

/** Remembers, for a day, what was answered to which key, so that a request sent twice is done once. */
export class IdempotencyKeys {
  private readonly stored = new Map<string, StoredRequest>()

  constructor(private readonly now: () => number) {}

  /** Gives back what was answered before, or a fault, or nothing: then the request is to be done. */
  begin(key: string, endpoint: string, form: string, request: string): StoredRequest | ErrorResponse | undefined {
    if (key.length > 255) {
      return errorResponse(400, 'Idempotency keys can only be up to 255 characters long.', {
        type: 'idempotency_error',
      })
    }
    const digest = createHash('sha256').update(form).digest('base64')
    const kept = this.stored.get(key)
    if (!kept || kept.since + day <= this.now()) {
      this.stored.set(key, { endpoint, digest, since: this.now(), request, answer: null })
      return
    }
    const other = `Try using a key other than '${key}' if you meant to execute a different request.`
    if (kept.endpoint !== endpoint) {
      const message = `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${kept.endpoint}' vs '${endpoint}'). ${other}`
      return errorResponse(400, message, { type: 'idempotency_error' })
    }
    if (kept.digest !== digest) {
      const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. ${other}`
      return errorResponse(400, message, { type: 'idempotency_error' })
    }
    if (kept.answer) return kept
    return errorResponse(
      409,
      `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}`,
      { type: 'idempotency_error', code: 'idempotency_key_in_use' },
    )
  }

  /** A request that was refused before it did anything may be sent again, changed; a 5xx is kept as every answer is. */
  end(key: string, status: number, body: string): void {
    const kept = this.stored.get(key)
    if (!kept) return
    if (status < 300 || status === 402 || status === 500) kept.answer = { status, body }
    else this.stored.delete(key)
    for (const oldest of this.stored.keys()) {
      if (this.stored.size <= maxKeys) return
      this.stored.delete(oldest)
    }
  }
}
