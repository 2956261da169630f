import { createHash, randomBytes } from 'node:crypto'

/** What opens an invitation, and what of it is kept. */
export interface InvitationToken {
  token: string
  tokenHash: Buffer
}

/** Makes a token of 256 random bits; that many need no salt, and no slow hash. */
export function newToken(): InvitationToken {
  const token = randomBytes(32).toString('base64url')
  return { token, tokenHash: hashOf(token) }
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
