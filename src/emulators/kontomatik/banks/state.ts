import type { DictatedStatement } from './dictated-statement.ts'

/** The account holder at a bank, as the bank knows them. */
export interface Customer {
  target: string
  login: string
  /** The day of the last import, which has shown what was pending then. */
  importedOn: number | undefined
  /** The statement that a test dictates, in place of the usual one. */
  dictated?: DictatedStatement
}

export interface Redirection {
  id: string
  startedAt: number
  redirectUri: string
  ownerExternalId: string
  country: string | undefined
  repeated: boolean
  outcome: 'pending' | 'done' | 'declined'
  session?: string
}

export interface Session {
  id: string
  signature: string
  startedAt: number
  target: string
  login: string
  /** Made from a consent, not by signing in: it sees less. */
  reused: boolean
  multipleAccessId: string | null
  command?: string
}

export interface Consent {
  id: string
  grantedAt: number
  target: string
  login: string
  revoked: boolean
}

/** An import, with all that its result follows from. */
export interface Import {
  id: string
  startedAt: number
  target: string
  login: string
  /** Days since 1970, like all days here. */
  from: number
  on: number
  importedBefore: number | undefined
  dictated?: DictatedStatement
}

/** All that the local Kontomatik remembers, as it is kept in its journal. */
export interface State {
  offset: number
  last: number
  imports: number
  customers: Customer[]
  redirections: Redirection[]
  sessions: Session[]
  consents: Consent[]
  commands: Import[]
}

export const emptyState = (): State => ({
  offset: 0,
  last: 700_000,
  imports: 0,
  customers: [],
  redirections: [],
  sessions: [],
  consents: [],
  commands: [],
})
