import type { Request, Response } from 'express'
import { open, type SecretKey, seal } from '../../secrets/sealed-text.ts'
import type { SignInAttempt } from './openid-provider.ts'
import { type Cookie, pathCookie, readCookie, setCookie } from './session-cookie.ts'

/** Ten minutes, in seconds: long enough for a second factor, and for a new password. */
const lifetime = 600

interface StoredAttempt extends SignInAttempt {
  /** The path to continue at. */
  to: string
  /** Milliseconds since 1970. */
  until: number
}

const owner = { table: 'sign-in', id: '', organization: '' }

/** Keeps a sign-in at a provider in an encrypted cookie, which the browser sends to the path of the callback alone. */
export class SignInAttempts {
  readonly #cookie: Cookie
  readonly #keys: SecretKey[]

  constructor(publicUrl: string, callbackPath: string, keys: SecretKey[]) {
    this.#cookie = pathCookie(publicUrl, 'sign-in', callbackPath)
    this.#keys = keys
  }

  store(response: Response, attempt: SignInAttempt, to: string): void {
    const stored: StoredAttempt = { ...attempt, to, until: Date.now() + lifetime * 1000 }
    setCookie(response, this.#cookie, seal(JSON.stringify(stored), this.#keys, owner), lifetime)
  }

  /** Takes the attempt out of its cookie, which serves once. */
  take({ headers }: Request, response: Response): StoredAttempt | undefined {
    const sealed = readCookie(headers, this.#cookie.name)
    if (sealed === undefined) return undefined
    setCookie(response, this.#cookie, '', 0)
    try {
      const stored: StoredAttempt = JSON.parse(open(sealed, this.#keys, owner))
      return stored.until > Date.now() ? stored : undefined
    } catch {
      return undefined
    }
  }
}
