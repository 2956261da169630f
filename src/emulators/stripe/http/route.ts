import type { Account } from '../objects/account.ts'
import type { Things } from '../objects/billing-objects.ts'
import { missing } from './api-error.ts'
import type { Params } from './form.ts'

/** One request that has been let in. */
export interface Call {
  account: Account
  params: Params
  /** What stands in the path in place of `{…}`. */
  id: string
  /** Stripe.js asks with the publishable key, and is told less. */
  publishable: boolean
}

export interface Route {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  /** The parameters this server acts upon; Stripe's others are refused rather than ignored. */
  takes?: string
  /** Whether the publishable key will do. */
  open?: boolean
  handle(call: Call): object
}

/** What the path names. */
export function named<K extends keyof Things>({ account, id }: Call, kind: K): Things[K] {
  return existing(account, kind, id)
}

export function existing<K extends keyof Things>(account: Account, kind: K, id: string, param?: string): Things[K] {
  const thing = account.store.find(kind, id)
  if (!thing) throw missing(spoken[kind] ?? kind.replaceAll('_', ' '), id, param)
  return thing
}

const spoken: Partial<Record<keyof Things, string>> = {
  payment_method: 'PaymentMethod',
  payment_intent: 'payment_intent',
  setup_intent: 'setupintent',
}
