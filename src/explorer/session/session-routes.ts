import { type RequestHandler, Router } from 'express'
import { callbackPath } from '../../access/session/open-sessions.ts'
import { authenticate, Problem } from '../../hydra/index.ts'
import { account } from './account.ts'
import { anonymous, drawSession, type SessionSurroundings, signInLimit } from './draw-session.ts'
import { providerSignIn } from './provider-sign-in.ts'
import { readForm } from './read-form.ts'
import { returnPath } from './return-path.ts'

/** `/session`: where people sign in, choose their organization, see their sessions and sign out. */
export function sessionRoutes(surroundings: SessionSurroundings): Router {
  const { api, access, signIn, demo } = surroundings
  const { sessions, provider } = signIn
  const router = Router({ caseSensitive: true, strict: true })

  router.get('/session', async (request, response) => {
    const caller = await authenticate(access, request, response)
    const session = await sessions.of(request)
    const to = returnPath(request.query.return, api.iris.publicUrl)
    return drawSession(surroundings, request, response, { caller, session, to })
  })

  router.post('/session', async (request, response) => {
    sessions.requireOwnForm(request)
    await access.rateLimiter?.(request, response, undefined, signInLimit)
    const form = await readForm(request, response)
    const to = returnPath(form.get('return'), api.iris.publicUrl)
    const person = form.get('person')
    try {
      const token = person === null ? pasted(form.get('token')) : await demo?.tokenOf(person, request)
      if (!token) throw new Problem(401, 'Paste a bearer token.')
      await sessions.start(request, response, { access: token })
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error
      return drawSession(surroundings, request, response, { caller: anonymous(api), to, problem: error })
    }
    return response.redirect(303, to ?? api.iris.at('/'))
  })

  account(router, surroundings)
  refuseOthers(router, '/session', 'OPTIONS, HEAD, GET, POST')
  for (const path of ['/session/organization', '/session/end']) refuseOthers(router, path, 'OPTIONS, POST')
  if (provider) {
    providerSignIn(router, surroundings, provider)
    for (const path of ['/session/start', callbackPath]) refuseOthers(router, path, 'OPTIONS, HEAD, GET')
  }
  return router
}

/** People paste the whole header at times. */
function pasted(text: string | null): string | undefined {
  return text?.trim().replace(/^(Authorization: *)?Bearer +/i, '') || undefined
}

/** Answers other methods on a path with 405. */
export function refuseOthers(router: Router, path: string, allow: string): void {
  const refuse: RequestHandler = ({ method }, response) => {
    if (method !== 'OPTIONS') throw new Problem(405, `This path allows only ${allow}.`, { Allow: allow })
    response.writeHead(204, { Allow: allow }).end()
  }
  router.all(path, refuse)
}
