import type { World } from '../banks/bank-world.ts'
import { catalogue } from '../banks/catalogue.ts'
import type { Controls } from '../control/control-routes.ts'
import { poll, startImport } from './imports.ts'
import { type Answer, type Ask, Refusal, refused, unauthorized } from './response.ts'
import { mockSession, remove, reuse } from './sessions.ts'
import { redirectionStatus, startRedirection } from './sign-in.ts'
import { signInPage } from './sign-in-page.ts'

/** What a local Kontomatik consists of, as its routes need it. */
export interface Parts {
  url: string
  apiKey: string
  world: World
  controls: Controls
}

const routes: Record<string, (ask: Ask, world: World, url: string) => Answer> = {
  'POST /v1/signin/redirection': startRedirection,
  'GET /v1/signin/redirection-status': redirectionStatus,
  'POST /v1/command/default-import.xml': startImport,
  'POST /v1/command/reuse-multiple-access.xml': reuse,
  'POST /v1/command/delete-multiple-access.xml': remove,
  'POST /v1/mock-session.xml': mockSession,
  'GET /v1/command-catalog.xml': catalogue,
}

/** Only the page where people sign in is open without a key: it is found by a name that cannot be guessed. */
export async function answerTo(ask: Ask, key: string, address: string, parts: Parts): Promise<Answer> {
  const { url, apiKey, world, controls } = parts
  const isPage = ask.path.startsWith('/signin/')
  if (!isPage && key !== apiKey) return unauthorized(key, address)
  try {
    if (isPage) return signInPage(ask, world)
    if (ask.path.startsWith('/local/')) return await controls.answer(ask)
    const route = routes[`${ask.method} ${ask.path}`] ?? (ask.method === 'GET' ? poll : undefined)
    if (!route) throw new Refusal('InvalidArgument', 'There is no such command.')
    return route(ask, world, url)
  } catch (error) {
    if (error instanceof Refusal) return refused(error, ask.path)
    throw error
  } finally {
    if (ask.method !== 'GET') await world.keep()
  }
}
