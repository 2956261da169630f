import type { Account } from '../objects/account.ts'
import type { ObjectsByType } from '../objects/billing-objects.ts'
import { resourceMissing } from './api-error.ts'
import type { Params } from './form.ts'

/** One request that has been let in. */
export interface Call {
  account: Account
  params: Params
  /** The id that stands in the path in place of `{…}`. */
  id: string
  /** Stripe.js asks with the publishable key, and is told less. */
  publishable: boolean
}

export interface Route {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  /** The parameters this server acts upon; Stripe's others are refused rather than ignored. */
  parameters?: string
  /** Whether the publishable key will do. */
  allowsPublishableKey?: boolean
  handle(call: Call): object
}

/** The object whose id the path contains; throws `resource_missing` if it does not exist. */
export function pathObject<K extends keyof ObjectsByType>({ account, id }: Call, kind: K): ObjectsByType[K] {
  return requireObject(account, kind, id)
}

export function requireObject<K extends keyof ObjectsByType>(
  account: Account,
  kind: K,
  id: string,
  param?: string,
): ObjectsByType[K] {
  const thing = account.store.find(kind, id)
  if (!thing) throw resourceMissing(nouns[kind] ?? kind.replaceAll('_', ' '), id, param)
  return thing
}

const nouns: Partial<Record<keyof ObjectsByType, string>> = {
  payment_method: 'PaymentMethod',
  payment_intent: 'payment_intent',
  setup_intent: 'setupintent',
}
