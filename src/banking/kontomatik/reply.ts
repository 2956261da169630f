import { BankProblem } from './bank-problem.ts'
import type { KontomatikResponse } from './response-body.ts'
import { type Element, replyIn } from './xml-element.ts'

/**
 * Reads a reply in XML. A failed command has the status 200, so an exception in the reply counts more than the status.
 * @throws a BankProblem if it holds an exception, or is no reply.
 */
export function readReply({ status, text }: KontomatikResponse): Element {
  const reply = replyIn(text)
  const exception = reply?.child('exception')
  if (exception) throw BankProblem.of(exception.attribute('name'))
  if (reply?.child('command')) return reply
  if (status >= 400) throw BankProblem.ofStatus(status)
  if (!reply) throw BankProblem.unreadable()
  return reply
}

/** The sign-in API replies in JSON, but some of its errors come in XML. */
export function readJson({ status, text }: KontomatikResponse): Record<string, unknown> {
  const json = objectIn(text)
  if (!json) {
    readReply({ status, text })
    throw BankProblem.unreadable()
  }
  if (status >= 400) throw json.exception ? BankProblem.of(exceptionIn(json)) : BankProblem.ofStatus(status)
  return json
}

/** Kontomatik sends the bare name; an object with a name, as in its XML, is accepted, too. */
export function exceptionIn({ exception }: Record<string, unknown>): string | undefined {
  const name = exception instanceof Object && 'name' in exception ? exception.name : exception
  return typeof name === 'string' ? name : undefined
}

export function objectIn(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'string') return value instanceof Object && !Array.isArray(value) ? { ...value } : undefined
  try {
    const json: unknown = JSON.parse(value)
    return typeof json === 'string' ? undefined : objectIn(json)
  } catch {
    return undefined
  }
}
