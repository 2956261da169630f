import { type Request, type Response, Router } from 'express'
import { pathCookie, readCookie, setCookie } from '../../access/session/session-cookie.ts'
import { authenticate, type Executor } from '../../hydra/index.ts'
import { invitationPath as path } from '../../invitations/invitation-iri.ts'
import { openInvitation } from '../../invitations/opened-invitation.ts'
import { type SessionSurroundings, sendPage } from '../session/draw-session.ts'
import { reloadHeader } from '../session/foreign-navigation.ts'
import { refuseOthers } from '../session/session-routes.ts'
import { invitationPage } from './invitation-page.tsx'

/** An hour, in seconds: long enough to create an account at the provider. */
const lifetime = 60 * 60

/**
 * `/invitation`: where the link of a mail leads to. Its token goes into a cookie for this path at once. So no later address has it, and
 * the browser's history, the sign-in and its provider never see it.
 * @param executor a share of the connections for invitations
 */
export function invitationRoutes({ api, access, signIn }: SessionSurroundings, executor: Executor): Router {
  const { sessions } = signIn
  const { publicUrl } = api.iris
  const cookie = pathCookie(publicUrl, 'invitation', path)
  const router = Router({ caseSensitive: true, strict: true })

  const keepToken = async (request: Request, response: Response): Promise<void> => {
    await access.rateLimiter?.(request, response, undefined, undefined)
    const query = new URLSearchParams(request.originalUrl.split('?')[1])
    const token = query.get('token') ?? ''
    const isToken = /^[\w-]{43}$/.test(token)
    setCookie(response, cookie, isToken ? token : '', isToken ? lifetime : 0)
    query.delete('token')
    const to = api.iris.at(path) + (query.size > 0 ? `?${query}` : '')
    response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).redirect(303, to)
  }

  router.get(path, async (request, response) => {
    if (request.query.token !== undefined) return keepToken(request, response)
    const caller = await authenticate(access, request, response)
    const token = readCookie(request.headers, cookie.name)
    const [session, invitation] = await Promise.all([
      sessions.of(request),
      token ? openInvitation(executor, token, caller.user) : undefined,
    ])
    if (!session) response.setHeaders(new Map(Object.entries(reloadHeader(request))))
    const person = session && (await sessions.personOf(session))
    const formToken = sessions.formToken(request) ?? ''
    const signedIn = session && person && { session, person, formToken }
    const page = invitationPage({ api, request, caller, signedIn, invitation, token })
    return sendPage(api, response, invitation ? 200 : 404, page, 'no-referrer')
  })
  refuseOthers(router, path, 'OPTIONS, HEAD, GET')
  return router
}
