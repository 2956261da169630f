import { randomBytes } from 'node:crypto'
import { hashOf } from '../secrets/secret-hash.ts'

/** The token of an invitation, and the hash that is stored of it. */
export interface InvitationToken {
  token: string
  tokenHash: Buffer
}

/** A token of 256 random bits. */
export function newToken(): InvitationToken {
  const token = randomBytes(32).toString('base64url')
  return { token, tokenHash: hashOf(token) }
}
