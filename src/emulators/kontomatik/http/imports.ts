import type { World } from '../banks/bank-world.ts'
import { bankNamed } from '../banks/catalogue.ts'
import { dayNumber } from '../banks/days.ts'
import { statement } from '../banks/import-statement.ts'
import type { Import, Session } from '../banks/state.ts'
import { formOf } from './form-fields.ts'
import { element, type Markup } from './markup.ts'
import { type Answer, type Ask, exception, Refusal, reply } from './response.ts'

const slots = 8
const reusedSees = 90

/** Starts an import and answers at once; its command is polled until it is done. */
export function startImport(ask: Ask, world: World): Answer {
  const { since, ...given } = formOf(ask, { required: ['sessionId', 'sessionIdSignature', 'since'] })
  const session = sessionOf(given, world)
  const from = dayNumber(since)
  if (from === undefined || from > world.today) throw new Refusal('InvalidSince')
  if (session.command) throw new Refusal('DefaultImportAlreadyExecuted')
  if (!bankNamed(session.target)?.psd2) throw new Refusal('CommandNotAvailable')
  assertRoom(world)
  const { target, login, reused } = session
  const customer = world.customer(target, login)
  const command: Import = {
    id: world.nextId(),
    startedAt: world.now,
    target,
    login,
    from: reused ? Math.max(from, world.today - reusedSees) : from,
    on: world.today,
    importedBefore: customer.importedOn,
    told: customer.told,
  }
  session.command = command.id
  customer.importedOn = world.today
  world.state.commands.push(command)
  world.state.imports += 1
  return reply(202, shown(command, 'setup', progress(0)))
}

export function poll({ path }: Ask, world: World): Answer {
  const id = /^\/v1\/command\/([^/]+)\.xml$/.exec(path)?.[1]
  const command = world.state.commands.find((command) => command.id === id)
  if (!command) throw new Refusal('InvalidCommandId')
  const done = Math.min(1, (world.now - command.startedAt) / world.pace)
  if (done === 1) return reply(200, shown(command, 'successful', statement(command)))
  return reply(200, shown(command, done < 0.3 ? 'setup' : 'in_progress', progress(done)))
}

/** A command that came to nothing, which Kontomatik says with a status of 200. */
export function failed(path: string, refusal: Refusal, state: string): Answer {
  const id = path.slice(path.lastIndexOf('/') + 1).replace(/\.xml$/, '')
  return reply(200, element('command', { id, state, name: 'DefaultImportCommand' }, exception(refusal)))
}

/** All customers of one key share so many commands at a time. */
export function assertRoom(world: World): void {
  const running = world.state.commands.filter(({ startedAt }) => world.now - startedAt < world.pace)
  if (running.length >= slots) throw new Refusal('JobsQuotaExceeded')
}

function sessionOf({ sessionId, sessionIdSignature }: Record<string, string>, world: World): Session {
  const session = world.state.sessions.find(({ id }) => id === sessionId)
  if (!session || !world.isLive(session)) throw new Refusal('InvalidSessionId', 'Session expired.')
  if (session.signature !== sessionIdSignature) throw new Refusal('InvalidSessionIdSignature')
  return session
}

function shown({ id, target }: Import, state: string, content: Markup): Markup {
  const known = state === 'setup' ? {} : { target, institution: bankNamed(target)?.officialName }
  return element('command', { id, state, name: 'DefaultImportCommand', ...known }, content)
}

function progress(value: number): Markup {
  return element('progress', {}, element('value', {}, value.toFixed(2)))
}
