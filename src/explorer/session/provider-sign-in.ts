import type { Router } from 'express'
import { callbackPath } from '../../access/session/open-sessions.ts'
import type { OpenIdProvider } from '../../access/session/openid-provider.ts'
import { SignInAttempts } from '../../access/session/sign-in-attempt.ts'
import { Problem } from '../../hydra/index.ts'
import { anonymous, drawSession, type SessionSurroundings, sendPage, signInLimit } from './draw-session.ts'
import { returnPath } from './return-path.ts'
import { continuePage } from './session-page.tsx'

/** The way to the provider and back. */
export function providerSignIn(router: Router, surroundings: SessionSurroundings, provider: OpenIdProvider): void {
  const { api, access, keys, signIn } = surroundings
  const { publicUrl } = api.iris
  const attempts = new SignInAttempts(publicUrl, callbackPath, keys)

  router.get('/session/start', async (request, response) => {
    await access.rateLimiter?.(request, response, undefined, signInLimit)
    const { url, attempt } = await provider.begin()
    attempts.store(response, attempt, returnPath(request.query.return, publicUrl) ?? api.iris.at('/'))
    response.set('Cache-Control', 'no-store').redirect(303, url.href)
  })

  /**
   * A browser that comes from another site sends no `Strict` cookie, also after a redirect. So a page answers, and continues by
   * itself: its next request comes from this server.
   */
  router.get(callbackPath, async (request, response) => {
    response.set('Referrer-Policy', 'no-referrer')
    await access.rateLimiter?.(request, response, undefined, signInLimit)
    const attempt = attempts.take(request, response)
    try {
      if (!attempt)
        throw new Problem(400, 'This sign-in is older than ten minutes, or began in another browser. Start again.')
      const tokens = await provider.finish(new URL(request.originalUrl, publicUrl).search, attempt)
      await signIn.sessions.start(request, response, tokens).catch((error) => {
        throw error instanceof Problem && error.status === 401 ? unusable(provider, error) : error
      })
      sendPage(api, response, 200, continuePage(api, request, attempt.to))
    } catch (error) {
      if (!(error instanceof Problem) || error.status === 429) throw error
      await drawSession(surroundings, request, response, { caller: anonymous(api), to: attempt?.to, problem: error })
    }
  })
}

/** A provider that does not know the audience issues opaque tokens, or tokens for itself. */
function unusable({ name, audience }: OpenIdProvider, { message }: Problem): Problem {
  return new Problem(
    502,
    `The access token of ${name} is no JWT for the audience "${audience}". Correct AUTH_AUDIENCE, or register it at the provider. (${message})`,
  )
}
