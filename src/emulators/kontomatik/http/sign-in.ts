import { randomBytes } from 'node:crypto'
import { minute, type World } from '../banks/bank-world.ts'
import { bankNamed } from '../banks/catalogue.ts'
import type { Redirection } from '../banks/state.ts'
import { fieldsOf, objectOf } from './form-fields.ts'
import { type Answer, type Ask, json, Refusal } from './response.ts'

const lasts = 60 * minute

export function startRedirection(ask: Ask, world: World, url: string): Answer {
  const wish = objectOf(ask, ['redirectUri', 'ownerExternalId', 'country', 'locale', 'psd2'])
  const redirectUri = text(wish, 'redirectUri', /^https?:\/\//)
  if (!redirectUri || !isAddress(redirectUri)) throw new Refusal('InvalidParameter', 'redirectUri is no address.')
  const mode = Object(wish.psd2).accessMode
  if (!['SINGLE', 'MULTIPLE', 'MIXED'].includes(mode))
    throw new Refusal('InvalidParameter', 'psd2.accessMode is unknown.')
  text(wish, 'locale', /^[a-z]{2}$/)
  const redirection: Redirection = {
    id: `r-${randomBytes(12).toString('hex')}`,
    startedAt: world.now,
    redirectUri,
    ownerExternalId:
      text(wish, 'ownerExternalId', /^.{1,255}$/, 'InvalidOwnerExternalId') ?? randomBytes(8).toString('hex'),
    country: text(wish, 'country', /^([a-z]{2}|all)$/),
    repeated: mode !== 'SINGLE',
    outcome: 'pending',
  }
  world.state.redirections.push(redirection)
  return json({ redirectionId: redirection.id, redirectionLink: `${url}/signin/${redirection.id}` })
}

export function redirectionStatus({ query }: Ask, world: World): Answer {
  const { redirectionId } = fieldsOf(query, { required: ['redirectionId'] })
  const redirection = world.state.redirections.find(({ id }) => id === redirectionId)
  if (!redirection) throw new Refusal('InvalidParameter', 'There is no such redirection.')
  if (redirection.outcome === 'declined') return json({ status: 'ERROR', params: { exception: 'SignInDeclined' } })
  if (isOver(redirection, world)) return json({ status: 'EXPIRED', params: {} })
  const session = world.state.sessions.find(({ id }) => id === redirection.session)
  if (!session) return json({ status: 'PENDING', params: {} })
  const { id, signature, multipleAccessId, target } = session
  const { officialName } = bankNamed(target) ?? {}
  const params = { sessionId: id, sessionIdSignature: signature, multipleAccessId, target, officialName }
  return json({ status: 'SUCCESS', params })
}

/** A host of other signs could end up as something else in the policy of the page. */
function isAddress(redirectUri: string): boolean {
  return URL.canParse(redirectUri) && /^https?:\/\/[\w.:[\]-]+$/.test(new URL(redirectUri).origin)
}

/** Whether nobody signed in for an hour. */
export function isOver({ startedAt, outcome }: Redirection, world: World): boolean {
  return outcome === 'pending' && world.now - startedAt > lasts
}

function text(
  wish: Record<string, unknown>,
  name: string,
  pattern: RegExp,
  fault = 'InvalidParameter',
): string | undefined {
  const value = wish[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !pattern.test(value)) throw new Refusal(fault, `${name} is not as it must be.`)
  return value
}
