import { BankProblem } from './bank-problem.ts'
import { type Command, readCommand } from './command-reply.ts'
import { type KontomatikAccess, KontomatikConnection } from './connection.ts'
import { readJson, readReply } from './reply.ts'
import type { KontomatikResponse } from './response-body.ts'
import { readRedirection, readSignInReply, type Session, type SignInReply } from './sign-in-reply.ts'
import { readTarget, type Target } from './target.ts'
import type { Element } from './xml-element.ts'

export type AccessMode = 'SINGLE' | 'MULTIPLE' | 'MIXED'

export interface Redirection {
  redirectUri: string
  ownerExternalId: string
  /** Two lowercase letters, or `all`. */
  country?: string
  /** Kontomatik's code of a language, such as `cz`. */
  locale?: string
  accessMode: AccessMode
}

/** A session without a bank, which only Kontomatik's test host has. */
export interface MockSession {
  login: string
  country: string
  ownerExternalId: string
  multipleAccess: boolean
  ownerEmail?: string
}

/** The client of Kontomatik. Every method throws a BankProblem and no other error. */
export class Kontomatik {
  readonly #connection: KontomatikConnection

  constructor(access: KontomatikAccess) {
    this.#connection = new KontomatikConnection(access)
  }

  /** The address where a person signs in at the bank. */
  async startRedirection({
    accessMode,
    ...options
  }: Redirection): Promise<{ redirectionId: string; redirectionLink: string }> {
    const json = { ...options, psd2: { accessMode } }
    return this.#connection.request({ path: '/v1/signin/redirection', json }, (response) =>
      readRedirection(readJson(response)),
    )
  }

  async redirectionStatus(redirectionId: string): Promise<SignInReply> {
    const request = { path: '/v1/signin/redirection-status', query: { redirectionId } }
    return this.#connection.request(request, (response) => readSignInReply(readJson(response)))
  }

  /** A session allows one import. After any failure a new session is needed. */
  async startImport({ id, signature }: Session, since: string): Promise<Command> {
    const form = { sessionId: id, sessionIdSignature: signature, since }
    return this.#connection.request({ path: '/v1/command/default-import.xml', form }, (response) =>
      readCommand(readReply(response)),
    )
  }

  /** The state of an import, and its result. */
  async command(id: string): Promise<Command> {
    const path = `/v1/command/${encodeURIComponent(id)}.xml`
    return this.#connection.request({ path }, (response) => readCommand(readReply(response)))
  }

  /** Opens a session through a consent. Each counts as one of four imports a day and account. */
  async reuseAccess(multipleAccessId: string): Promise<Session> {
    const request = { path: '/v1/command/reuse-multiple-access.xml', form: { multipleAccessId } }
    return this.#connection.request(request, (response) => sessionIn(readReply(response)))
  }

  /** Ends a consent. A consent that is already gone counts as ended. */
  async deleteAccess(multipleAccessId: string): Promise<void> {
    const request = { path: '/v1/command/delete-multiple-access.xml', form: { multipleAccessId } }
    await this.#connection.request(request, readDeletion)
  }

  /** The banks. The list changes, so it must not be cached for long. */
  async listBanks(country?: string): Promise<Target[]> {
    const request = { path: '/v1/command-catalog.xml', query: { country } }
    return this.#connection.request(request, (response) => {
      const targets = readReply(response).child('targets')
      if (!targets) throw BankProblem.unreadable()
      return targets.children('target').flatMap(readTarget)
    })
  }

  async mockSession({
    multipleAccess,
    ...mock
  }: MockSession): Promise<{ session: Session; multipleAccessId: string | null }> {
    const form = { ...mock, multipleAccess: String(multipleAccess) }
    return this.#connection.request({ path: '/v1/mock-session.xml', form }, (response) => {
      const reply = readReply(response)
      const multipleAccessId = reply.child('session')?.text('multipleAccessId') ?? reply.text('multipleAccessId')
      return { session: sessionIn(reply), multipleAccessId }
    })
  }
}

function sessionIn(reply: Element): Session {
  const session = reply.child('session')
  const [id, signature] = [session?.attribute('id'), session?.attribute('signature')]
  if (!id || !signature) throw BankProblem.unreadable()
  return { id, signature }
}

/** Any success ends the consent, whatever its body. The page of a proxy is no success. */
function readDeletion(response: KontomatikResponse): void {
  try {
    if (response.status >= 300 || /<exception|<html|<!doctype/i.test(response.text.slice(0, 10_000)))
      readReply(response)
  } catch (problem) {
    if (!(problem instanceof BankProblem && problem.kind === 'access-gone')) throw problem
  }
}
