import type { Request, Response } from 'express'
import { v7 as uuid } from 'uuid'
import { type Executor, Problem } from '../../hydra/index.ts'
import type { SecretKey } from '../../secrets/sealed-text.ts'
import { hashOf } from '../../secrets/secret-hash.ts'
import type { Callers, Identity } from '../callers.ts'
import { type Person, personOf } from './choices.ts'
import { type Ended, providerWorkOf } from './ended-sessions.ts'
import { formTokenOf, isFormTokenOf } from './form-token.ts'
import { isForm, isOwnForm, isOwnRead } from './request-origin.ts'
import { type Cookie, isSecret, newSecret, readCookie, sessionCookie, setCookie } from './session-cookie.ts'
import {
  chooseOrganization,
  type EndedSession,
  findSession,
  type Holder,
  insertSession,
  listSessions,
  removeSession,
  removeSessionsOf,
  type SessionRow,
  touchSession,
} from './session-rows.ts'
import { ignoreRefusal, openTokens, sealTokens, type Tokens } from './session-tokens.ts'
import type { TokenRefresh } from './token-refresh.ts'

/** A session whose cookie counts for a request. Its secret stays in the cookie, and its token in the table. */
export interface OpenSession {
  row: SessionRow
  caller: Identity
  /** The organization that its token names, which is the only one it may act for. */
  claimed: string | undefined
}

/** How long a session lives at most, in seconds. Without a refresh token it ends with its access token. */
const maxSeconds = 7 * 24 * 60 * 60

/** `usedAt` is written once in five minutes, because it only helps a person to recognize a session. */
const touchMs = 5 * 60 * 1000

const maxBrowserLength = 255

const cookieRefused = 'The cookie counts only for pages and forms of this server.'

interface Surroundings {
  publicUrl: string
  /** A share of the connections for sessions. */
  executor: Executor
  callers: Callers
  keys: SecretKey[]
  /** Undefined where no provider is configured, so no token can be refreshed. */
  refresh?: TokenRefresh
}

/** Sign-ins of browsers. A cookie counts only for requests of pages of this server; the API takes bearer tokens alone. */
export class Sessions {
  readonly #cookie: Cookie
  readonly #origin: string
  readonly #surroundings: Surroundings
  readonly #opened = new WeakMap<object, Promise<OpenSession | undefined>>()
  readonly #accepted = new WeakSet<object>()

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#cookie = sessionCookie(surroundings.publicUrl)
    this.#origin = new URL(surroundings.publicUrl).origin
  }

  /** The caller of a request. A bearer token, even an invalid one, wins over a cookie. */
  async identify(request: Request): Promise<Identity> {
    const session = await this.of(request)
    if (session) return session.caller
    const caller = await this.#surroundings.callers.of(request)
    const isRefused = caller.role === 'anonymous' && this.#secretOf(request) && !this.#counts(request)
    return isRefused ? { ...caller, reason: cookieRefused } : caller
  }

  /** The session of a request; undefined where its cookie does not count, or belongs to no live session. */
  of(request: Request): Promise<OpenSession | undefined> {
    if (!this.#counts(request)) return Promise.resolve(undefined)
    const known = this.#opened.get(request) ?? this.#open(request)
    this.#opened.set(request, known)
    return known
  }

  /** Whether a request is a form of a signed-in browser, and not a request of a program. */
  isForm(request: Request): boolean {
    return isForm(request) && request.headers.authorization === undefined && this.#secretOf(request) !== undefined
  }

  /** The form token for the forms of a page; undefined where the request has no cookie. */
  formToken(request: Pick<Request, 'headers'>): string | undefined {
    const secret = this.#secretOf(request)
    return secret && formTokenOf(secret)
  }

  /**
   * Lets the cookie count for a form that a page of this server has sent.
   * @param token the field of the form with the form token
   * @throws Problem 403 where the form comes from elsewhere, or its token belongs to another session
   */
  requireForm(request: Request, token: unknown): void {
    this.requireOwnForm(request)
    const secret = this.#secretOf(request)
    if (!secret || !isFormTokenOf(secret, token))
      throw new Problem(403, 'The form belongs to another session. Open its page again, and send it once more.')
    this.#accepted.add(request)
  }

  /** @throws Problem 403 where a page of another site has sent a form */
  requireOwnForm(request: Request): void {
    if (!isOwnForm(request, this.#origin))
      throw new Problem(403, `The form must come from a page of this server: open it at ${this.#origin}.`)
  }

  /**
   * Signs a browser in. The session has a new secret, and the browser's former session ends.
   * @throws Problem 401 where the access token is not accepted
   */
  async start(request: Request, response: Response, tokens: Tokens): Promise<void> {
    const { executor, callers, keys } = this.#surroundings
    const { issuer, subject, expiresAt } = await callers.verify(tokens.access)
    await this.#removeCurrent(request)
    const [id, secret, tokenExpiresAt] = [uuid(), newSecret(), new Date(expiresAt * 1000)]
    const ends = tokens.refresh ? new Date(Date.now() + maxSeconds * 1000) : tokenExpiresAt
    await insertSession(executor, {
      id,
      hash: hashOf(secret),
      issuer,
      subject,
      sealedTokens: sealTokens(tokens, keys, id),
      tokenExpiresAt,
      browser: request.headers['user-agent']?.slice(0, maxBrowserLength) ?? null,
      expiresAt: ends,
    })
    setCookie(response, this.#cookie, secret, Math.max(1, Math.floor((ends.getTime() - Date.now()) / 1000)))
  }

  /** Signs a browser out: deletes its session and its cookie. */
  async end(request: Request, response: Response): Promise<Ended> {
    setCookie(response, this.#cookie, '', 0)
    return this.#removeCurrent(request)
  }

  /** Ends all sessions of a user, or the one with an id. */
  async endOf(holder: Holder, id?: string): Promise<Ended> {
    return this.#ended(await removeSessionsOf(this.#surroundings.executor, holder, id))
  }

  /** The sessions of a user, the last used first. */
  list(holder: Holder): Promise<SessionRow[]> {
    return listSessions(this.#surroundings.executor, holder)
  }

  /** The person of a session, with the organizations that the session may act for. */
  personOf({ row, claimed }: OpenSession): Promise<Person> {
    return personOf(this.#surroundings.executor, row, claimed)
  }

  /** Lets the session of a form act for one of its organizations from now on. */
  async actFor(request: Request, organization: string): Promise<void> {
    const session = await this.of(request)
    if (session) await chooseOrganization(this.#surroundings.executor, session.row.id, organization)
  }

  #counts(request: Request): boolean {
    return request.headers.authorization === undefined && (isOwnRead(request) || this.#accepted.has(request))
  }

  #secretOf({ headers }: Pick<Request, 'headers'>): string | undefined {
    const value = readCookie(headers, this.#cookie.name)
    return isSecret(value) ? value : undefined
  }

  async #removeCurrent(request: Request): Promise<Ended> {
    const secret = this.#secretOf(request)
    return this.#ended(secret ? await removeSession(this.#surroundings.executor, hashOf(secret)) : [])
  }

  #ended(sessions: EndedSession[]): Ended {
    return providerWorkOf(sessions, this.#surroundings.keys)
  }

  async #open(request: Request): Promise<OpenSession | undefined> {
    const { executor, callers, keys, refresh } = this.#surroundings
    const secret = this.#secretOf(request)
    const found = secret && (await findSession(executor, hashOf(secret)))
    const row = found && refresh ? await refresh.fresh(found) : found
    const tokens = row && openTokens(row.sealedTokens, keys, row.id)
    if (!row || !tokens) return undefined
    const bearer = await callers.verify(tokens.access).catch(ignoreRefusal)
    if (!bearer) return undefined
    if (row.usedAt.getTime() < Date.now() - touchMs) await touchSession(executor, row.id).catch(() => {})
    const caller = await callers.ofToken(tokens.access, row.organization ?? undefined, request.socket)
    return { row, caller, claimed: bearer.tenant }
  }
}
