import type { Request, Response, Router } from 'express'
import type { Ended } from '../../access/session/ended-sessions.ts'
import type { OpenSession } from '../../access/session/sessions.ts'
import { authenticate, Problem } from '../../hydra/index.ts'
import { type SessionSurroundings, sendPage } from './draw-session.ts'
import { readForm } from './read-form.ts'
import { returnPath } from './return-path.ts'
import { continuePage } from './session-page.tsx'

const isId = (text: string | null): text is string =>
  text !== null && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)

/** The forms of a person who has signed in: the organization to act for, and the end of sessions. */
export function account(router: Router, { api, access, signIn }: SessionSurroundings): void {
  const { sessions, provider } = signIn
  const page = api.iris.at('/session')

  /** The fields of a form of this session, and the session, if it still exists. */
  const read = async (request: Request, response: Response): Promise<[URLSearchParams, OpenSession | undefined]> => {
    sessions.requireOwnForm(request)
    const form = await readForm(request, response)
    sessions.requireForm(request, form.get(api.formNames.token))
    await authenticate(access, request, response)
    return [form, await sessions.of(request)]
  }

  router.post('/session/organization', async (request, response) => {
    const [form, session] = await read(request, response)
    const person = session && (await sessions.personOf(session))
    const chosen = person?.organizations.find(({ id }) => id === form.get('organization'))
    if (!session || !chosen) throw new Problem(403, 'Choose an organization that you are a member of.')
    await sessions.actFor(request, chosen.id)
    response.redirect(303, returnPath(form.get('return'), api.iris.publicUrl) ?? page)
  })

  router.post('/session/end', async (request, response) => {
    const [form, session] = await read(request, response)
    const which = form.get('which')
    if (isId(which) && which !== session?.row.id) {
      if (session) revoke(await sessions.endOf(session.row, which))
      return response.redirect(303, page)
    }
    const everywhere = which === 'all' && session ? await sessions.endOf(session.row) : undefined
    const here = await sessions.end(request, response)
    revoke(everywhere ?? here)
    const isAtProvider = (everywhere ?? here).atProvider
    const url = isAtProvider ? await provider?.endSessionUrl(`${api.iris.publicUrl}/session`) : undefined
    return url ? sendPage(api, response, 200, continuePage(api, request, url.href)) : response.redirect(303, page)
  })

  /** The provider hears of it when it can: a sign-out here never waits for it. */
  const revoke = ({ refreshTokens }: Ended): void => {
    for (const token of refreshTokens) provider?.revoke(token).catch(() => {})
  }
}
