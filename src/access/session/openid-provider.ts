import * as openid from 'openid-client'
import type { OpenIdClient } from '../../environment/access.ts'
import { Problem } from '../../hydra/index.ts'
import { hostOf, isLoopback } from '../../start/loopback.ts'
import type { Tokens } from './session-tokens.ts'

/** A sign-in that has begun at the provider; the browser keeps it until it comes back. */
export interface SignInAttempt {
  state: string
  nonce: string
  verifier: string
}

interface Settings {
  issuer: string
  audience: string
  client: OpenIdClient
  /** The URL to which the provider sends the browser back. */
  redirectUri: string
}

/** A request to the provider takes three seconds at most. A refresh holds a row lock meanwhile. */
const timeoutSeconds = 3

/** The provider's metadata is read again after an hour. */
const metadataMs = 60 * 60 * 1000

/** Signs people in at an OpenID provider: authorization code with PKCE (OpenID Connect Core §3.1, RFC 7636). */
export class OpenIdProvider {
  /** Its host. */
  readonly name: string
  readonly audience: string
  readonly #settings: Settings
  readonly #target: Record<string, string>
  #loaded: { configuration: Promise<openid.Configuration>; until: number } | undefined

  constructor(settings: Settings) {
    this.#settings = settings
    this.name = new URL(settings.issuer).host
    const { audience } = settings
    this.audience = audience
    // A resource is an absolute URI (RFC 8707 §2); providers that know only `audience` take any text.
    this.#target = { audience, ...(URL.canParse(audience) && { resource: audience }) }
  }

  /** Begins a sign-in at the URL that the browser is sent to. */
  async begin(): Promise<{ url: URL; attempt: SignInAttempt }> {
    const configuration = await this.#configuration()
    const attempt = {
      state: openid.randomState(),
      nonce: openid.randomNonce(),
      verifier: openid.randomPKCECodeVerifier(),
    }
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#settings.redirectUri,
      scope: scopesOf(configuration),
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(attempt.verifier),
      code_challenge_method: 'S256',
      ...this.#target,
    })
    return { url, attempt }
  }

  /**
   * Exchanges the code in the query of the callback for tokens.
   * @throws Problem 400 where the provider or the check of the answer refuses the sign-in, 502 where it refuses this client
   */
  async finish(query: string, { state, nonce, verifier }: SignInAttempt): Promise<Tokens> {
    const configuration = await this.#configuration()
    const url = new URL(this.#settings.redirectUri)
    url.search = query
    const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true }
    const answer = await openid.authorizationCodeGrant(configuration, url, checks, this.#target).catch((error) => {
      throw this.#problemOf(error)
    })
    return tokensOf(answer)
  }

  /** @returns undefined where the provider refuses the refresh token: the sign-in has ended there */
  async refresh(refreshToken: string): Promise<Tokens | undefined> {
    const configuration = await this.#configuration()
    const answer = await openid
      .refreshTokenGrant(configuration, refreshToken, this.#target)
      .catch((error) =>
        error instanceof openid.ResponseBodyError && error.error === 'invalid_grant'
          ? undefined
          : Promise.reject(error),
      )
    return answer && tokensOf(answer)
  }

  /** The URL at which the provider signs a person out (OpenID Connect RP-Initiated Logout §2). It holds no token. */
  async endSessionUrl(returnTo: string): Promise<URL | undefined> {
    const configuration = await this.#configuration().catch(() => undefined)
    if (!configuration?.serverMetadata().end_session_endpoint) return undefined
    return openid.buildEndSessionUrl(configuration, { post_logout_redirect_uri: returnTo })
  }

  /** Revokes a refresh token (RFC 7009). A provider that fails or knows no revocation lets it expire. */
  async revoke(refreshToken: string): Promise<void> {
    const configuration = await this.#configuration().catch(() => undefined)
    if (configuration?.serverMetadata().revocation_endpoint)
      await openid.tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' }).catch(() => {})
  }

  #configuration(): Promise<openid.Configuration> {
    if (!this.#loaded || this.#loaded.until < Date.now()) {
      const configuration = this.#discover()
      this.#loaded = { configuration, until: Date.now() + metadataMs }
      configuration.catch(() => {
        this.#loaded = undefined
      })
    }
    return this.#loaded.configuration
  }

  async #discover(): Promise<openid.Configuration> {
    const { issuer, client } = this.#settings
    const server = new URL(issuer)
    const options = {
      timeout: timeoutSeconds,
      // Only a provider on this machine may do without TLS.
      execute: isLoopback(hostOf(server)) ? [openid.allowInsecureRequests] : [],
    }
    const authentication = client.secret === undefined ? openid.None() : openid.ClientSecretPost(client.secret)
    return openid.discovery(server, client.id, undefined, authentication, options).catch(() => {
      throw this.#silent()
    })
  }

  #silent(): Problem {
    const detail = `The provider ${this.name} does not answer. Try again in a few seconds.`
    return new Problem(503, detail, { 'Retry-After': '5' })
  }

  /** The provider's own description is not repeated, because any site can call the callback with one. */
  #problemOf(error: Error & { code?: string; cause?: unknown }): Problem {
    if (error.code === 'OAUTH_TIMEOUT' || error instanceof TypeError || error.cause instanceof TypeError)
      return this.#silent()
    if (error instanceof openid.AuthorizationResponseError)
      return new Problem(400, `The provider ${this.name} has refused the sign-in. Start again.`)
    if (error instanceof openid.ResponseBodyError && error.error === 'invalid_client')
      return new Problem(
        502,
        `The provider ${this.name} refuses the client of this server. Correct AUTH_CLIENT_ID or AUTH_CLIENT_SECRET.`,
      )
    if (error instanceof openid.ResponseBodyError)
      return new Problem(
        400,
        `The provider ${this.name} refuses the code of this sign-in (${error.error}). Start again; ask an administrator if that repeats.`,
      )
    return new Problem(400, `The answer of ${this.name} belongs to no sign-in of this browser. Start again.`)
  }
}

function tokensOf({ access_token, refresh_token }: { access_token: string; refresh_token?: string }): Tokens {
  return { access: access_token, ...(refresh_token && { refresh: refresh_token }), atProvider: true }
}

/** A refresh token may need the scope "offline_access" (OpenID Connect Core §11). */
function scopesOf(configuration: openid.Configuration): string {
  const offered = configuration.serverMetadata().scopes_supported ?? []
  const optional = ['profile', 'email', 'offline_access'].filter((scope) => offered.includes(scope))
  return ['openid', ...optional].join(' ')
}
