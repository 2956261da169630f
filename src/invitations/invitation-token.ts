import { createHash, randomBytes } from 'node:crypto'

/** The token of an invitation, and the hash that is stored of it. */
export interface InvitationToken {
  token: string
  tokenHash: Buffer
}

/** A token of 256 random bits: it needs neither a salt nor a slow hash. */
export function newToken(): InvitationToken {
  const token = randomBytes(32).toString('base64url')
  return { token, tokenHash: hashOf(token) }
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
