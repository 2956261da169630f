import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const bytes = 32

/**
 * A form token of a session, which only pages of this server can know. It is masked with random bytes, so it differs in each page:
 * the length of a compressed page tells nothing about it (BREACH).
 */
export function formTokenOf(secret: string): string {
  const mask = randomBytes(bytes)
  return Buffer.concat([mask, xor(mask, keyOf(secret))]).toString('base64url')
}

/** Whether a form token belongs to the session of a secret. */
export function isFormTokenOf(secret: string, token: unknown): boolean {
  if (typeof token !== 'string' || !/^[\w-]{86}$/.test(token)) return false
  const both = Buffer.from(token, 'base64url')
  return timingSafeEqual(xor(both.subarray(0, bytes), both.subarray(bytes)), keyOf(secret))
}

/** It is derived from the secret in the cookie, so the table of sessions does not hold it. */
function keyOf(secret: string): Buffer {
  return createHmac('sha256', secret).update('form token').digest()
}

function xor(one: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ other[index]))
}
