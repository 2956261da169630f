import type { Request, Response } from 'express'
import type { SignIn } from '../../access/session/open-sessions.ts'
import type { OpenSession } from '../../access/session/sessions.ts'
import type { AccessControl, Api, Caller, Problem } from '../../hydra/index.ts'
import type { SecretKey } from '../../secrets/sealed-text.ts'
import type { DemoPeople } from './demo-people.ts'
import { sessionPage } from './session-page.tsx'
import type { SessionView } from './session-view.ts'

/** Everything that the routes of the sign-in need. */
export interface SessionSurroundings {
  api: Api
  access: AccessControl
  signIn: SignIn
  keys: SecretKey[]
  /** The people of the demo, whose tokens the server issues; undefined where a provider issues tokens. */
  demo: DemoPeople | undefined
}

/** Signing in has a limit of its own, so a client cannot try tokens by the thousand. */
export const signInLimit = { name: 'POST /session', window: 'minute' } as const

/** Draws the page of the session, with the reason why a sign-in was refused. */
export async function drawSession(
  { api, signIn: { sessions, provider }, demo }: SessionSurroundings,
  request: Request,
  response: Response,
  { caller, session, to, problem }: { caller: Caller; session?: OpenSession; to?: string; problem?: Problem },
): Promise<void> {
  const view: SessionView = {
    api,
    request,
    caller,
    to,
    problem,
    provider: provider?.name,
    people: session ? [] : (demo?.list(request) ?? []),
    signedIn: session && {
      session,
      formToken: sessions.formToken(request) ?? '',
      person: await sessions.personOf(session),
      sessions: await sessions.list(session.row),
      back: to,
    },
  }
  sendPage(api, response, problem?.status ?? 200, sessionPage(view))
}

/** Pages of the sign-in stay in no cache, and their addresses leave this server in no header. */
export function sendPage(
  { pages }: Api,
  response: Response,
  status: number,
  page: string,
  referrer = 'same-origin',
): void {
  response.set({ ...pages?.headers, 'Cache-Control': 'no-store', 'Referrer-Policy': referrer })
  response.vary('Accept-Language').status(status).type('html').send(page)
}

export function anonymous({ roles }: Api): Caller {
  return { role: roles.anonymous, user: null, tenant: null }
}
