import { createHash } from 'node:crypto'

/** The stored form of a secret. 256 random bits cannot be guessed, so the hash needs no salt and need not be slow. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
