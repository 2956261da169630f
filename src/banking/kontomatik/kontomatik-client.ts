import { BankProblem } from './bank-problem.ts'
import { type Command, readCommand } from './command-reply.ts'
import { type KontomatikAccess, KontomatikConnection } from './connection.ts'
import { readJson, readReply } from './reply.ts'
import type { KontomatikResponse } from './response-body.ts'
import { readRedirection, readSigningIn, type Session, type SigningIn } from './sign-in-reply.ts'
import { readTarget, type Target } from './target.ts'
import type { Element } from './xml-element.ts'

export type AccessMode = 'SINGLE' | 'MULTIPLE' | 'MIXED'

export interface Redirection {
  redirectUri: string
  ownerExternalId: string
  /** Two small letters, or `all`. */
  country?: string
  /** Kontomatik's own code of a language, such as `cz`. */
  locale?: string
  accessMode: AccessMode
}

/** A sign-in at no bank at all: Kontomatik's test host only. */
export interface Mock {
  login: string
  country: string
  ownerExternalId: string
  multipleAccess: boolean
  ownerEmail?: string
}

/** What we ask of Kontomatik; everything throws a BankProblem and nothing else. */
export class Kontomatik {
  readonly #connection: KontomatikConnection

  constructor(access: KontomatikAccess) {
    this.#connection = new KontomatikConnection(access)
  }

  /** Where to send somebody to sign in at their bank. */
  async startRedirection({
    accessMode,
    ...wishes
  }: Redirection): Promise<{ redirectionId: string; redirectionLink: string }> {
    const json = { ...wishes, psd2: { accessMode } }
    return this.#connection.ask({ path: '/v1/signin/redirection', json }, (answer) => readRedirection(readJson(answer)))
  }

  async redirectionStatus(redirectionId: string): Promise<SigningIn> {
    const question = { path: '/v1/signin/redirection-status', query: { redirectionId } }
    return this.#connection.ask(question, (answer) => readSigningIn(readJson(answer)))
  }

  /** Once in a session; if it fails at all, a new session is needed. */
  async startImport({ id, signature }: Session, since: string): Promise<Command> {
    const form = { sessionId: id, sessionIdSignature: signature, since }
    return this.#connection.ask({ path: '/v1/command/default-import.xml', form }, (answer) =>
      readCommand(readReply(answer)),
    )
  }

  /** How an import is doing; to be asked every few seconds. */
  async command(id: string): Promise<Command> {
    const path = `/v1/command/${encodeURIComponent(id)}.xml`
    return this.#connection.ask({ path }, (answer) => readCommand(readReply(answer)))
  }

  /** A new session by an old consent: one of four imports a day and bank account. */
  async reuseAccess(multipleAccessId: string): Promise<Session> {
    const question = { path: '/v1/command/reuse-multiple-access.xml', form: { multipleAccessId } }
    return this.#connection.ask(question, (answer) => sessionIn(readReply(answer)))
  }

  /** Ends a consent; one that was gone already counts as ended. */
  async deleteAccess(multipleAccessId: string): Promise<void> {
    const question = { path: '/v1/command/delete-multiple-access.xml', form: { multipleAccessId } }
    await this.#connection.ask(question, readEnd)
  }

  /** The banks there are; never to be kept for long, as they change. */
  async catalogue(country?: string): Promise<Target[]> {
    const question = { path: '/v1/command-catalog.xml', query: { country } }
    return this.#connection.ask(question, (answer) => {
      const targets = readReply(answer).child('targets')
      if (!targets) throw BankProblem.unreadable()
      return targets.children('target').flatMap(readTarget)
    })
  }

  async mockSession({ multipleAccess, ...mock }: Mock): Promise<{ session: Session; multipleAccessId: string | null }> {
    const form = { ...mock, multipleAccess: String(multipleAccess) }
    return this.#connection.ask({ path: '/v1/mock-session.xml', form }, (answer) => {
      const reply = readReply(answer)
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

/** Any success will do, with whatever body; but not the page of a proxy. */
function readEnd(answer: KontomatikResponse): void {
  try {
    if (answer.status >= 300 || /<exception|<html|<!doctype/i.test(answer.text.slice(0, 10_000))) readReply(answer)
  } catch (problem) {
    if (!(problem instanceof BankProblem && problem.kind === 'access-gone')) throw problem
  }
}
