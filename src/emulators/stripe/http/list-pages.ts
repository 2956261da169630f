import type { Account } from '../objects/account.ts'
import type { ObjectsByType } from '../objects/billing-objects.ts'
import type { List, StripeObject } from '../objects/objects.ts'
import { invalidRequest, resourceMissing } from './api-error.ts'
import type { Params } from './form.ts'
import { hash, number, text } from './parameter-values.ts'

export const listParameters = 'limit starting_after ending_before created'

/** The page that was asked for, the newest first. */
export function listPage<K extends keyof ObjectsByType>(
  account: Account,
  kind: K,
  params: Params,
  url: string,
  fits: (thing: ObjectsByType[K]) => boolean = () => true,
): List<ObjectsByType[K]> {
  const made = createdFilter(params)
  const until = account.listLagSeconds ? account.now() - account.listLagSeconds : Number.POSITIVE_INFINITY
  const listed = (thing: StripeObject) => made(thing) && !(Number(thing.created) > until)
  const things = account.store.newest(kind).filter((thing) => fits(thing) && listed(thing))
  return paginate(things, params, url, (id, param) => {
    if (!account.store.find(kind, id)) throw resourceMissing(kind.replaceAll('_', ' '), id, param)
  })
}

function paginate<T extends StripeObject>(
  things: T[],
  params: Params,
  url: string,
  check: (id: string, param: string) => void,
): List<T> {
  const limit = number(params, 'limit') ?? 10
  if (limit < 1 || limit > 100) {
    const bound = limit < 1 ? 'greater than or equal to 1' : 'less than or equal to 100'
    throw invalidRequest(`Invalid integer: ${limit} must be ${bound}`, {
      code: 'parameter_invalid_integer',
      param: 'limit',
    })
  }
  const after = text(params, 'starting_after')
  const before = text(params, 'ending_before')
  if (after && before) throw invalidRequest('You cannot provide both `starting_after` and `ending_before`')
  if (after) check(after, 'starting_after')
  if (before) check(before, 'ending_before')

  const from = after ? things.findIndex(({ id }) => id === after) + 1 : 0
  const to = before ? things.findIndex(({ id }) => id === before) : things.length
  const first = before ? Math.max(0, to - limit) : from
  const data = things.slice(first, Math.min(first + limit, to))
  const more = before ? first > 0 : first + limit < things.length
  return { object: 'list', data, has_more: more, url }
}

/** Stripe's `created`, a moment or a range. */
function createdFilter(params: Params): (thing: StripeObject) => boolean {
  const exact = number(params, 'created')
  const bounds = hash(params, 'created')
  const [gt, gte, lt, lte] = ['gt', 'gte', 'lt', 'lte'].map((name) => number(bounds, name))
  if (exact === undefined && !bounds) return () => true
  return ({ created }) => {
    const at = Number(created)
    return (
      (exact === undefined || at === exact) &&
      (gt === undefined || at > gt) &&
      (gte === undefined || at >= gte) &&
      (lt === undefined || at < lt) &&
      (lte === undefined || at <= lte)
    )
  }
}
