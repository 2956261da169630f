import { randomBytes } from 'node:crypto'
import { type BankWorld, minute } from '../banks/bank-world.ts'
import { bankNamed } from '../banks/catalogue.ts'
import type { Redirection } from '../banks/state.ts'
import { readFields, readJsonObject } from './form-fields.ts'
import { jsonResponse, KontomatikError, type KontomatikRequest, type KontomatikResponse } from './response.ts'

const redirectionLifetimeMs = 60 * minute

export function startRedirection(ask: KontomatikRequest, world: BankWorld, url: string): KontomatikResponse {
  const wish = readJsonObject(ask, ['redirectUri', 'ownerExternalId', 'country', 'locale', 'psd2'])
  const redirectUri = readText(wish, 'redirectUri', /^https?:\/\//)
  if (!redirectUri || !isSafeUrl(redirectUri))
    throw new KontomatikError('InvalidParameter', 'redirectUri is no address.')
  const mode = Object(wish.psd2).accessMode
  if (!['SINGLE', 'MULTIPLE', 'MIXED'].includes(mode))
    throw new KontomatikError('InvalidParameter', 'psd2.accessMode is unknown.')
  readText(wish, 'locale', /^[a-z]{2}$/)
  const redirection: Redirection = {
    id: `r-${randomBytes(12).toString('hex')}`,
    startedAt: world.now,
    redirectUri,
    ownerExternalId:
      readText(wish, 'ownerExternalId', /^.{1,255}$/, 'InvalidOwnerExternalId') ?? randomBytes(8).toString('hex'),
    country: readText(wish, 'country', /^([a-z]{2}|all)$/),
    repeated: mode !== 'SINGLE',
    outcome: 'pending',
  }
  world.state.redirections.push(redirection)
  return jsonResponse({ redirectionId: redirection.id, redirectionLink: `${url}/signin/${redirection.id}` })
}

export function redirectionStatus({ query }: KontomatikRequest, world: BankWorld): KontomatikResponse {
  const { redirectionId } = readFields(query, { required: ['redirectionId'] })
  const redirection = world.state.redirections.find(({ id }) => id === redirectionId)
  if (!redirection) throw new KontomatikError('InvalidParameter', 'There is no such redirection.')
  if (redirection.outcome === 'declined')
    return jsonResponse({ status: 'ERROR', params: { exception: 'SignInDeclined' } })
  if (isExpired(redirection, world)) return jsonResponse({ status: 'EXPIRED', params: {} })
  const session = world.state.sessions.find(({ id }) => id === redirection.session)
  if (!session) return jsonResponse({ status: 'PENDING', params: {} })
  const { id, signature, multipleAccessId, target } = session
  const { officialName } = bankNamed(target) ?? {}
  const params = { sessionId: id, sessionIdSignature: signature, multipleAccessId, target, officialName }
  return jsonResponse({ status: 'SUCCESS', params })
}

/** A host of other signs could end up as something else in the policy of the page. */
function isSafeUrl(redirectUri: string): boolean {
  return URL.canParse(redirectUri) && /^https?:\/\/[\w.:[\]-]+$/.test(new URL(redirectUri).origin)
}

/** Whether an hour has passed without a sign-in or a refusal. */
export function isExpired({ startedAt, outcome }: Redirection, world: BankWorld): boolean {
  return outcome === 'pending' && world.now - startedAt > redirectionLifetimeMs
}

function readText(
  wish: Record<string, unknown>,
  name: string,
  pattern: RegExp,
  fault = 'InvalidParameter',
): string | undefined {
  const value = wish[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !pattern.test(value))
    throw new KontomatikError(fault, `${name} is not as it must be.`)
  return value
}
