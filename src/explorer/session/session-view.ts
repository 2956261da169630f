import type { Request } from 'express'
import type { Api, Caller, Problem } from '../../hydra/index.ts'
import type { Account } from './account-page.tsx'
import type { DemoPerson } from './demo-people.ts'

/** Everything that the page of the session shows. */
export interface SessionView {
  api: Api
  request: Request
  caller: Caller
  /** The path to return to after a sign-in. */
  to: string | undefined
  /** Why a sign-in was refused. */
  problem: Problem | undefined
  /** The host of the provider; undefined where none is configured. */
  provider: string | undefined
  people: DemoPerson[]
  /** Undefined before a sign-in. */
  signedIn: Account | undefined
}
