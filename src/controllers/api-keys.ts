import { IsNull, MoreThan } from 'typeorm'
import { ApiKey } from '../../entities/index.ts'
import { revokeKey } from '../access/api-keys/revoke.ts'
import { hintOf, newSecret } from '../access/api-keys/secret.ts'
import type { Callers } from '../access/callers.ts'
import { lockOwnOrganization } from '../access/lock-own-organization.ts'
import { recordWrite } from '../audit/audit-log.ts'
import {
  type Call,
  createEntity,
  createOperation,
  type Operation,
  Problem,
  removeOperation,
  updateOperation,
  type Violation,
} from '../hydra/index.ts'
import { hashOf } from '../secrets/secret-hash.ts'

const dayMs = 24 * 60 * 60 * 1000

/** How long a key works without an `expiresAt`, and how long at most. */
const [usualDays, mostDays] = [90, 366]

/** The most active keys of an organization. Each has a rate limit of its own, so their number is limited. */
const mostKeys = 100

export const create: Operation<ApiKey> = {
  ...createOperation<ApiKey>({}),
  title: () => 'Create an API key',
  sets: ['createdById', 'hint', 'hash'],
  sensitive: 'minute',
  secrets: { names: ['secret'] },
  description:
    'The response has the secret, once: keep it. Only a hash of it is stored, and a repetition by Idempotency-Key has null in its ' +
    `place. A program sends it as "Authorization: Bearer …". Without "expiresAt" the key expires after ${usualDays} days; a year ` +
    'is the limit. A key acts for this organization alone, with its own role, and as no user: it cannot use operations that ' +
    'are not for programs. Keys of a person who is removed, suspended or demoted to member are revoked. 409 refuses more than ' +
    `${mostKeys} active keys.`,
  async handle(call) {
    const secret = newSecret()
    const own = { organizationId: call.tenant, createdById: call.user }
    const blank = Object.assign(createEntity(ApiKey), own).issue(secret, hashOf(secret), hintOf(secret))
    const key = await call.read(blank, false, setExpiry)
    return call.unitOfWork.transaction(async () => {
      await lockOwnOrganization(call)
      await requireFewKeys(call)
      await call.unitOfWork.insert(key)
      await recordWrite(call, key)
      return key
    })
  },
}

export const update: Operation<ApiKey> = {
  ...updateOperation<ApiKey>({ alsoWrite: recordWrite, writes: { name: ['admin', 'owner'] } }),
  title: () => 'Rename an API key',
  description: 'Only the name can change. For another role or a later expiry, create another key and revoke this one.',
}

export const revoke = (callers: Callers): Operation<ApiKey> => ({
  ...removeOperation<ApiKey>(),
  title: () => 'Revoke an API key',
  description:
    'Its secret stops working within a second. The key stays in the list, because audit events name it. Repeating the request ' +
    'changes nothing. It is allowed while the organization is suspended or closed.',
  async handle(call) {
    const key = await call.find()
    call.request.checkPreconditions(key)
    if (key.revokedAt) return undefined
    await call.unitOfWork.transaction(async () => {
      await revokeKey(call, key)
      call.unitOfWork.after(() => callers.forget())
    })
    return undefined
  },
})

/** Gives a key without an expiry the usual one. @returns the violation of another expiry */
function setExpiry(key: ApiKey): Violation[] {
  if (key.expiresAt === undefined) key.expiresAt = new Date(Date.now() + usualDays * dayMs)
  if (!(key.expiresAt instanceof Date)) return []
  const lifetime = key.expiresAt.getTime() - Date.now()
  if (lifetime > 0 && lifetime <= mostDays * dayMs) return []
  const message = 'expiresAt must be in the future, and at most a year from now.'
  return [{ propertyPath: 'expiresAt', message, code: 'isExpiry' }]
}

/** @throws Problem 409 when the organization has as many active keys as it may have */
async function requireFewKeys({ manager, tenant }: Call): Promise<void> {
  const active = { organizationId: tenant, revokedAt: IsNull(), expiresAt: MoreThan(new Date()) }
  const count = await manager.countBy(ApiKey, active)
  if (count >= mostKeys)
    throw new Problem(409, `The organization has ${mostKeys} active API keys, which is the limit: revoke one first.`)
}
