import type { DataSource, EntityManager } from 'typeorm'
import { Session } from '../../../entities/index.ts'
import { Problem } from '../../hydra/index.ts'
import type { SecretKey } from '../../secrets/sealed-text.ts'
import type { Callers } from '../callers.ts'
import type { SessionRow } from './session-rows.ts'
import { ignoreRefusal, openTokens, sealTokens, type Tokens } from './session-tokens.ts'

/** Exchanges a refresh token for new tokens; undefined where the provider refuses it, so that the sign-in has ended. */
export type Refresh = (refreshToken: string) => Promise<Tokens | undefined>

/** A token is refreshed this long before it expires, so that it does not expire during a request. */
const marginMs = 60_000

/** Waiting for another process's refresh ends before the statement's own limit of five seconds. */
const lockTimeout = '4500ms'

/** Refreshes the access tokens of sessions. Of simultaneous requests, in any process, one asks the provider. */
export class TokenRefresh {
  readonly #running = new Map<string, Promise<SessionRow | undefined>>()

  constructor(
    private readonly database: DataSource,
    private readonly callers: Pick<Callers, 'verify'>,
    private readonly keys: SecretKey[],
    private readonly refresh: Refresh,
  ) {}

  /**
   * The session with a token that is still valid for a minute; undefined where the provider has ended the sign-in.
   * @throws Problem 503 where the token has expired and the provider does not answer
   */
  fresh(row: SessionRow): Promise<SessionRow | undefined> {
    if (isFresh(row) || !openTokens(row.sealedTokens, this.keys, row.id)?.refresh) return Promise.resolve(row)
    const running = this.#running.get(row.id) ?? this.#start(row.id)
    return running.catch((error) => {
      if (row.tokenExpiresAt.getTime() > Date.now()) return row
      throw error
    })
  }

  #start(id: string): Promise<SessionRow | undefined> {
    const running = this.database
      .transaction((manager) => this.#refreshLocked(manager, id))
      .finally(() => this.#running.delete(id))
    this.#running.set(id, running)
    return running
  }

  async #refreshLocked(manager: EntityManager, id: string): Promise<SessionRow | undefined> {
    await manager.query(`SET LOCAL lock_timeout = '${lockTimeout}'`)
    const row = await manager.findOne(Session, { where: { id }, lock: { mode: 'pessimistic_write' } })
    if (!row || isFresh(row)) return row ?? undefined
    const refreshToken = openTokens(row.sealedTokens, this.keys, id)?.refresh
    if (!refreshToken) return row
    const tokens = await this.refresh(refreshToken).catch(() => {
      throw new Problem(503, 'The sign-in could not be renewed: its provider does not answer. Try again shortly.', {
        'Retry-After': '5',
      })
    })
    const bearer = tokens && (await this.callers.verify(tokens.access).catch(ignoreRefusal))
    if (!bearer) {
      await manager.delete(Session, { id })
      return undefined
    }
    const renewed = {
      sealedTokens: sealTokens({ refresh: refreshToken, ...tokens }, this.keys, id),
      tokenExpiresAt: new Date(bearer.expiresAt * 1000),
    }
    await manager.update(Session, { id }, renewed)
    return Object.assign(row, renewed)
  }
}

function isFresh({ tokenExpiresAt }: SessionRow): boolean {
  return tokenExpiresAt.getTime() > Date.now() + marginMs
}
