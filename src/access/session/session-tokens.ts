import { Problem } from '../../hydra/index.ts'
import { open, type SecretKey, seal } from '../../secrets/sealed-text.ts'

/** The tokens of a sign-in. */
export interface Tokens {
  access: string
  /** Only a provider gives one. */
  refresh?: string
  /** Whether the person has signed in at the provider, and not pasted a token. */
  atProvider?: true
}

/** Encrypts the tokens of a session for its row. */
export function sealTokens(tokens: Tokens, keys: SecretKey[], id: string): string {
  return seal(JSON.stringify(tokens), keys, ownerOf(id))
}

/** @returns undefined where SECRETS_KEY has lost the key: the session then ends */
export function openTokens(sealed: string, keys: SecretKey[], id: string): Tokens | undefined {
  try {
    return JSON.parse(open(sealed, keys, ownerOf(id)))
  } catch {
    return undefined
  }
}

/** For a token that is no longer accepted: its session ends. Keys that cannot be loaded end no session. */
export function ignoreRefusal(error: unknown): undefined {
  if (error instanceof Problem && error.status === 401) return undefined
  throw error
}

const ownerOf = (id: string) => ({ table: 'session', id, organization: '' })
