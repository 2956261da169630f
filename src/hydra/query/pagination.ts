import type { EntityMetadata } from 'typeorm'
import type { Page, Selection, Sort } from '../model/page.ts'
import { Problem } from '../model/problem.ts'
import type { ResourceOptions } from '../model/resource.ts'
import { cursorOf, readCursor } from './sort.ts'

const perPage = 30
/** How many items a page holds at most, unless the resource says otherwise. */
export const maxItemsPerPage = 100

/** Beyond it Postgres could not count the rows to skip. */
const lastPage = 999_999_999

/** Which page a query asks for, 1 being the first. */
interface Paging {
  page: number
  size: number
}

/** @throws Problem 400 naming the parameter that is not a number, or not one of a page. */
function pagingOf(query: URLSearchParams, most = maxItemsPerPage): Paging {
  if (query.size === 0) return { page: 1, size: perPage }
  const page = wholeNumber(query, 'page', 1) ?? 1
  if (page > lastPage) throw new Problem(400, `page must be at most ${lastPage}.`)
  const size = Math.min(wholeNumber(query, 'itemsPerPage', 0) ?? perPage, most)
  if (size === 0 && page > 1) throw new Problem(400, 'With itemsPerPage=0 there is only page 1.')
  return { page, size }
}

/** Where a page begins: at the row that a link carries, or after as many rows as a typed number says. */
export function pageRequestOf(
  query: URLSearchParams,
  order: Sort[],
  metadata: EntityMetadata | undefined,
  most?: number,
): Pick<Selection, 'size' | 'from'> {
  const { page, size } = pagingOf(query, most)
  const [after, before] = [query.get('after'), query.get('before')]
  if (!metadata || (after === null && before === null)) return { size, from: { offset: (page - 1) * size } }
  if (before === 'end') return { size, from: { before: 'end' } }
  if (before !== null) return { size, from: { before: readCursor('before', before, order, metadata) } }
  return { size, from: { after: readCursor('after', after as string, order, metadata) } }
}

/** The view of a page: which one it is, and the way to the others, which carry the row that they go on from. */
export function viewOf(
  path: string,
  query: URLSearchParams,
  { found, order }: Page,
  { store, most }: Pick<ResourceOptions<object>, 'store' | 'most'>,
): object | undefined {
  const { page, size } = pagingOf(query, most)
  const { first, last: end, total, limited, earlier, later } = found
  const last = size === 0 ? 1 : Math.max(1, Math.ceil(total / size))
  const rest = shared(query)
  const cursors = !store
  const to = (number: number, place = '') => `${path}?${rest}page=${number}${place}`
  const at = (place: 'after' | 'before', row: object | undefined) =>
    cursors && row ? `&${place}=${cursorOf(row, order)}` : ''
  if (last === 1 && page === 1 && !earlier && (!later || size === 0))
    return query.size === 0
      ? undefined
      : { '@id': rest ? `${path}?${rest.slice(0, -1)}` : path, '@type': 'PartialCollectionView' }
  return {
    '@id': to(page, sent(query)),
    '@type': 'PartialCollectionView',
    first: to(1),
    ...(!limited && { last: last === 1 ? to(1) : to(last, cursors ? '&before=end' : '') }),
    ...(earlier && {
      previous: to(Math.max(1, limited ? page - 1 : Math.min(page - 1, last)), at('before', first)),
    }),
    ...(later && size > 0 && { next: to(page + 1, at('after', end)) }),
  }
}

const placing = ['page', 'after', 'before']

/** The parameters that every page's link has in common, sorted, ready to be followed by the page. */
function shared(query: URLSearchParams): string {
  if (query.size === 0) return ''
  const kept = [...query].filter(([name]) => !placing.includes(name))
  kept.sort(([one], [other]) => (rank(one) < rank(other) ? -1 : Number(rank(one) > rank(other))))
  return kept.length > 0 ? `${new URLSearchParams(kept)}&` : ''
}

/** Orders stay in their own sequence, because it has a meaning. */
const rank = (name: string) => (name.startsWith('order[') ? 'order[' : name)

/** The place that the query itself asked for. */
function sent(query: URLSearchParams): string {
  return ['after', 'before']
    .map((name) => (query.has(name) ? `&${name}=${encodeURIComponent(query.get(name) as string)}` : ''))
    .join('')
}

function wholeNumber(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= least)) throw new Problem(400, `${name} must be a whole number from ${least}.`)
  return number
}
