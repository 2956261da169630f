import { randomBytes } from 'node:crypto'
import type { World } from '../banks/bank-world.ts'
import { banksOf } from '../banks/catalogue.ts'
import type { Consent, Session } from '../banks/state.ts'
import { formOf } from './form-fields.ts'
import { assertRoom } from './imports.ts'
import { element } from './markup.ts'
import { type Answer, type Ask, Refusal, reply } from './response.ts'

const importsADay = 4

/** Somebody has signed in at their bank, and may have allowed more than this once. */
export function signIn(world: World, target: string, login: string, repeated: boolean): Session {
  const consent = repeated ? grant(world, target, login) : undefined
  return begin(world, { target, login, multipleAccessId: consent?.id ?? null, reused: false })
}

export function mockSession(ask: Ask, world: World): Answer {
  const required = ['login', 'country', 'ownerExternalId', 'multipleAccess']
  const { login, country, multipleAccess } = formOf(ask, { required, optional: ['ownerEmail'] })
  const [bank] = banksOf(country)
  if (!bank) throw new Refusal('InvalidParameter', 'There is no bank in that country.')
  if (multipleAccess !== 'true' && multipleAccess !== 'false')
    throw new Refusal('InvalidParameter', 'multipleAccess is true or false.')
  return shown(signIn(world, bank.name, login, multipleAccess === 'true'))
}

/** Counts towards the imports of a day even if none follows: nobody knows whether Kontomatik is any kinder. */
export function reuse(ask: Ask, world: World): Answer {
  const { id, target, login } = consentOf(ask, world)
  assertRoom(world)
  const counted = world.state.sessions.filter(
    (session) =>
      session.target === target &&
      session.login === login &&
      (session.reused || session.command) &&
      world.isOfToday(session),
  )
  if (counted.length >= importsADay) throw new Refusal('MultipleAccessLimitExceeded')
  return shown({ ...begin(world, { target, login, multipleAccessId: id, reused: true }), multipleAccessId: null })
}

export function remove(ask: Ask, world: World): Answer {
  consentOf(ask, world).revoked = true
  return reply(200)
}

function consentOf(ask: Ask, world: World): Consent {
  const { multipleAccessId } = formOf(ask, { required: ['multipleAccessId'] })
  const consent = world.state.consents.find(({ id }) => id === multipleAccessId)
  if (!consent || !world.isValid(consent)) throw new Refusal('InvalidMultipleAccessId')
  return consent
}

function grant(world: World, target: string, login: string): Consent {
  const consent = { id: `ma-${randomBytes(9).toString('hex')}`, grantedAt: world.now, target, login, revoked: false }
  world.state.consents.push(consent)
  return consent
}

function begin(world: World, facts: Pick<Session, 'target' | 'login' | 'multipleAccessId' | 'reused'>): Session {
  const session = { ...facts, id: world.nextId(), signature: randomBytes(32).toString('hex'), startedAt: world.now }
  world.state.sessions.push(session)
  return session
}

function shown({ id, signature, multipleAccessId }: Session): Answer {
  const children = multipleAccessId ? [element('multipleAccessId', {}, multipleAccessId)] : []
  return reply(200, element('session', { id, signature }, ...children))
}
