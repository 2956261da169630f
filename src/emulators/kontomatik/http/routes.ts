import type { BankWorld } from '../banks/bank-world.ts'
import { commandCatalog } from '../banks/catalogue.ts'
import type { Control } from '../control/control-routes.ts'
import { pollImport, startImport } from './imports.ts'
import {
  errorResponse,
  KontomatikError,
  type KontomatikRequest,
  type KontomatikResponse,
  unauthorized,
} from './response.ts'
import { deleteConsent, mockSession, reuseConsent } from './sessions.ts'
import { redirectionStatus, startRedirection } from './sign-in.ts'
import { signInPage } from './sign-in-page.ts'

/** The parts of a local Kontomatik that its routes need. */
export interface Emulator {
  url: string
  apiKey: string
  world: BankWorld
  control: Control
}

const routes: Record<string, (ask: KontomatikRequest, world: BankWorld, url: string) => KontomatikResponse> = {
  'POST /v1/signin/redirection': startRedirection,
  'GET /v1/signin/redirection-status': redirectionStatus,
  'POST /v1/command/default-import.xml': startImport,
  'POST /v1/command/reuse-multiple-access.xml': reuseConsent,
  'POST /v1/command/delete-multiple-access.xml': deleteConsent,
  'POST /v1/mock-session.xml': mockSession,
  'GET /v1/command-catalog.xml': commandCatalog,
}

/** Only the page where people sign in is open without a key: it is found by a name that cannot be guessed. */
export async function respond(
  ask: KontomatikRequest,
  key: string,
  address: string,
  parts: Emulator,
): Promise<KontomatikResponse> {
  const { url, apiKey, world, control } = parts
  const isPage = ask.path.startsWith('/signin/')
  if (!isPage && key !== apiKey) return unauthorized(key, address)
  try {
    if (isPage) return signInPage(ask, world)
    if (ask.path.startsWith('/local/')) return await control.respond(ask)
    const route = routes[`${ask.method} ${ask.path}`] ?? (ask.method === 'GET' ? pollImport : undefined)
    if (!route) throw new KontomatikError('InvalidArgument', 'There is no such command.')
    return route(ask, world, url)
  } catch (error) {
    if (error instanceof KontomatikError) return errorResponse(error, ask.path)
    throw error
  } finally {
    if (ask.method !== 'GET') await world.save()
  }
}
