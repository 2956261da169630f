import { randomBytes } from 'node:crypto'
import type { BankWorld } from '../banks/bank-world.ts'
import { banksOf } from '../banks/catalogue.ts'
import type { Consent, Session } from '../banks/state.ts'
import { readForm } from './form-fields.ts'
import { requireFreeSlot } from './imports.ts'
import { element } from './markup.ts'
import { KontomatikError, type KontomatikRequest, type KontomatikResponse, xmlReply } from './response.ts'

const maxImportsPerDay = 4

/** Starts a session after a sign-in at a bank, and grants a consent if the user allowed repeated access. */
export function signIn(world: BankWorld, target: string, login: string, repeated: boolean): Session {
  const consent = repeated ? grantConsent(world, target, login) : undefined
  return startSession(world, { target, login, multipleAccessId: consent?.id ?? null, reused: false })
}

export function mockSession(ask: KontomatikRequest, world: BankWorld): KontomatikResponse {
  const required = ['login', 'country', 'ownerExternalId', 'multipleAccess']
  const { login, country, multipleAccess } = readForm(ask, { required, optional: ['ownerEmail'] })
  const [bank] = banksOf(country)
  if (!bank) throw new KontomatikError('InvalidParameter', 'There is no bank in that country.')
  if (multipleAccess !== 'true' && multipleAccess !== 'false')
    throw new KontomatikError('InvalidParameter', 'multipleAccess is true or false.')
  return sessionReply(signIn(world, bank.name, login, multipleAccess === 'true'))
}

/** A reuse counts towards the day's imports even if no import follows; whether Kontomatik is more lenient is unknown. */
export function reuseConsent(ask: KontomatikRequest, world: BankWorld): KontomatikResponse {
  const { id, target, login } = requireConsent(ask, world)
  requireFreeSlot(world)
  const counted = world.state.sessions.filter(
    (session) =>
      session.target === target &&
      session.login === login &&
      (session.reused || session.command) &&
      world.isWithinLastDay(session),
  )
  if (counted.length >= maxImportsPerDay) throw new KontomatikError('MultipleAccessLimitExceeded')
  return sessionReply({
    ...startSession(world, { target, login, multipleAccessId: id, reused: true }),
    multipleAccessId: null,
  })
}

export function deleteConsent(ask: KontomatikRequest, world: BankWorld): KontomatikResponse {
  requireConsent(ask, world).revoked = true
  return xmlReply(200)
}

function requireConsent(ask: KontomatikRequest, world: BankWorld): Consent {
  const { multipleAccessId } = readForm(ask, { required: ['multipleAccessId'] })
  const consent = world.state.consents.find(({ id }) => id === multipleAccessId)
  if (!consent || !world.isValid(consent)) throw new KontomatikError('InvalidMultipleAccessId')
  return consent
}

function grantConsent(world: BankWorld, target: string, login: string): Consent {
  const consent = { id: `ma-${randomBytes(9).toString('hex')}`, grantedAt: world.now, target, login, revoked: false }
  world.state.consents.push(consent)
  return consent
}

function startSession(
  world: BankWorld,
  facts: Pick<Session, 'target' | 'login' | 'multipleAccessId' | 'reused'>,
): Session {
  const session = { ...facts, id: world.nextId(), signature: randomBytes(32).toString('hex'), startedAt: world.now }
  world.state.sessions.push(session)
  return session
}

function sessionReply({ id, signature, multipleAccessId }: Session): KontomatikResponse {
  const children = multipleAccessId ? [element('multipleAccessId', {}, multipleAccessId)] : []
  return xmlReply(200, element('session', { id, signature }, ...children))
}
