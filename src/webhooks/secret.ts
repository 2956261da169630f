import { randomBytes } from 'node:crypto'
import type { WebhookEndpoint } from '../../entities/index.ts'
import { needsRotation, open, type SecretKey, seal } from '../secrets/sealed-text.ts'

/** The start of every secret, by which scanners find a leaked one (Standard Webhooks). */
export const secretPrefix = 'whsec_'

/** How long the former secret signs after a renewal. */
export const overlapMs = 24 * 60 * 60 * 1000

type Owner = Pick<WebhookEndpoint, 'id' | 'organizationId'>

/** A secret of 256 random bits in base64. */
export function newSecret(): string {
  return secretPrefix + randomBytes(32).toString('base64')
}

export function sealSecret(secret: string, keys: SecretKey[], owner: Owner): string {
  return seal(secret, keys, ownerOf(owner))
}

/** @throws an Error when its key is gone, or another row owns the secret */
export function openSecret(sealed: string, keys: SecretKey[], owner: Owner): string {
  return open(sealed, keys, ownerOf(owner))
}

/** The secret sealed with the first key; undefined where it is already. */
export function resealSecret(sealed: string, keys: SecretKey[], owner: Owner): string | undefined {
  if (!needsRotation(sealed, keys)) return undefined
  return sealSecret(openSecret(sealed, keys, owner), keys, owner)
}

function ownerOf({ id, organizationId }: Owner) {
  return { table: 'webhook_endpoint', id, organization: organizationId }
}
