import { BankProblem } from './bank-problem.ts'
import { exceptionIn, objectIn } from './reply.ts'
import { indexable, trimText } from './xml-element.ts'

/** A session allows one import. It lasts for minutes. */
export interface Session {
  id: string
  signature: string
}

/** The state of a person's sign-in at the bank. */
export type SignInReply =
  | { state: 'pending' }
  | { state: 'failed'; reason: string }
  | {
      state: 'done'
      session: Session
      /** The consent to import again; null if the person allowed one import only. */
      multipleAccessId: string | null
      target: string | null
      officialName: string | null
    }

/** Kontomatik does not document the values. A value that is neither success nor failure means that the sign-in is pending. */
export function readSignInReply(json: Record<string, unknown>): SignInReply {
  const status = text(json.status)?.toLowerCase()
  const params = objectIn(json.params) ?? {}
  if (params.exception) return { state: 'failed', reason: BankProblem.of(exceptionIn(params)).name }
  if (status === 'expired') return { state: 'failed', reason: 'Expired' }
  if (status !== 'success' && status !== 'successful') return { state: 'pending' }
  const [id, signature] = [text(params.sessionId), text(params.sessionIdSignature)]
  if (!id || !signature) throw BankProblem.unreadable()
  return {
    state: 'done',
    session: { id, signature },
    multipleAccessId: text(params.multipleAccessId),
    target: label(params.target),
    officialName: label(params.officialName),
  }
}

/** The address where a person signs in. Its id is stored, so it must be printable and short. */
export function readRedirection(json: Record<string, unknown>): { redirectionId: string; redirectionLink: string } {
  const [redirectionId, link] = [text(json.redirectionId), text(json.redirectionLink)]
  const url = link && URL.canParse(link) ? new URL(link) : undefined
  if (!redirectionId || !/^[\x21-\x7e]{1,255}$/.test(redirectionId) || !url || !/^https?:$/.test(url.protocol))
    throw BankProblem.unreadable()
  return { redirectionId, redirectionLink: url.href }
}

function label(value: unknown): string | null {
  return trimText(text(value) ?? '', indexable) || null
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value ? value : typeof value === 'number' ? String(value) : null
}
