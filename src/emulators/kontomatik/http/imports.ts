import type { BankWorld } from '../banks/bank-world.ts'
import { bankNamed } from '../banks/catalogue.ts'
import { dayNumber } from '../banks/days.ts'
import { importResult } from '../banks/import-statement.ts'
import type { Import, Session } from '../banks/state.ts'
import { readForm } from './form-fields.ts'
import { element, type Markup } from './markup.ts'
import {
  exceptionElement,
  KontomatikError,
  type KontomatikRequest,
  type KontomatikResponse,
  xmlReply,
} from './response.ts'

const maxConcurrentImports = 8
const maxDaysOfReusedSession = 90

/** Starts an import and answers at once; its command is polled until it is done. */
export function startImport(ask: KontomatikRequest, world: BankWorld): KontomatikResponse {
  const { since, ...given } = readForm(ask, { required: ['sessionId', 'sessionIdSignature', 'since'] })
  const session = requireSession(given, world)
  const from = dayNumber(since)
  if (from === undefined || from > world.today) throw new KontomatikError('InvalidSince')
  if (session.command) throw new KontomatikError('DefaultImportAlreadyExecuted')
  if (!bankNamed(session.target)?.psd2) throw new KontomatikError('CommandNotAvailable')
  requireFreeSlot(world)
  const { target, login, reused } = session
  const customer = world.customer(target, login)
  const command: Import = {
    id: world.nextId(),
    startedAt: world.now,
    target,
    login,
    from: reused ? Math.max(from, world.today - maxDaysOfReusedSession) : from,
    on: world.today,
    importedBefore: customer.importedOn,
    dictated: customer.dictated,
  }
  session.command = command.id
  customer.importedOn = world.today
  world.state.commands.push(command)
  world.state.imports += 1
  return xmlReply(202, commandElement(command, 'setup', progress(0)))
}

export function pollImport({ path }: KontomatikRequest, world: BankWorld): KontomatikResponse {
  const id = /^\/v1\/command\/([^/]+)\.xml$/.exec(path)?.[1]
  const command = world.state.commands.find((command) => command.id === id)
  if (!command) throw new KontomatikError('InvalidCommandId')
  const done = Math.min(1, (world.now - command.startedAt) / world.importMs)
  if (done === 1) return xmlReply(200, commandElement(command, 'successful', importResult(command)))
  return xmlReply(200, commandElement(command, done < 0.3 ? 'setup' : 'in_progress', progress(done)))
}

/** A command that came to nothing, which Kontomatik says with a status of 200. */
export function failedCommand(path: string, refusal: KontomatikError, state: string): KontomatikResponse {
  const id = path.slice(path.lastIndexOf('/') + 1).replace(/\.xml$/, '')
  return xmlReply(200, element('command', { id, state, name: 'DefaultImportCommand' }, exceptionElement(refusal)))
}

/** All customers of one key share so many commands at a time. */
export function requireFreeSlot(world: BankWorld): void {
  const running = world.state.commands.filter(({ startedAt }) => world.now - startedAt < world.importMs)
  if (running.length >= maxConcurrentImports) throw new KontomatikError('JobsQuotaExceeded')
}

function requireSession({ sessionId, sessionIdSignature }: Record<string, string>, world: BankWorld): Session {
  const session = world.state.sessions.find(({ id }) => id === sessionId)
  if (!session || !world.isLive(session)) throw new KontomatikError('InvalidSessionId', 'Session expired.')
  if (session.signature !== sessionIdSignature) throw new KontomatikError('InvalidSessionIdSignature')
  return session
}

function commandElement({ id, target }: Import, state: string, content: Markup): Markup {
  const known = state === 'setup' ? {} : { target, institution: bankNamed(target)?.officialName }
  return element('command', { id, state, name: 'DefaultImportCommand', ...known }, content)
}

function progress(value: number): Markup {
  return element('progress', {}, element('value', {}, value.toFixed(2)))
}
