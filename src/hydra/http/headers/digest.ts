import { hash } from 'node:crypto'

/** The value of `Repr-Digest` for a representation (RFC 9530 §3). */
export function digestOf(body: string | Buffer): string {
  return `sha-256=:${hash('sha256', body, 'base64')}:`
}
