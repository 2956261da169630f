import { BankProblem } from './bank-problem.ts'
import { readStatement, type Statement } from './bank-statement.ts'
import type { Element } from './xml-element.ts'

/** An import, which runs at Kontomatik for seconds or minutes. */
export type Command = { id: string; target: string | null; officialName: string | null } & (
  | { state: 'running'; progress: number }
  | { state: 'successful'; statement: Statement }
  | { state: 'failed'; problem: BankProblem }
)

export type SuccessfulCommand = Extract<Command, { state: 'successful' }>

/** Only three states are final, so an unknown state means that the command is running. */
export function readCommand(reply: Element): Command {
  const command = reply.child('command')
  const id = command?.attribute('id')
  if (!command || !id) throw BankProblem.unreadable()
  const attribute = (name: string) => command.attribute(name) || null
  const head = { id, target: attribute('target'), officialName: attribute('institution') }
  const state = attribute('state')
  if (state === 'successful') return { ...head, state, statement: readStatement(command.child('result')) }
  if (state === 'error' || state === 'fatal') {
    const name = command.child('exception')?.attribute('name')
    return { ...head, state: 'failed', problem: BankProblem.of(name, state === 'fatal' ? 'outage' : 'unknown') }
  }
  const progress = Number(command.child('progress')?.text('value') ?? 0)
  return { ...head, state: 'running', progress: progress >= 0 && progress <= 1 ? progress : 0 }
}
