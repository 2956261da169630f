import type { Class } from './operation.ts'
import { Problem } from './problem.ts'
import type { Slice } from './store.ts'

/** One page of a collection, as a handler gives it back. */
export class Page {
  constructor(
    /** The class of its members. */
    readonly of: Class,
    readonly entities: object[],
    /** How many there are on all pages. */
    readonly total: number,
  ) {}
}

const perPage = 30
const mostPerPage = 100

/** Beyond it Postgres could not count the rows to skip. */
const lastPage = 999_999_999

/** Which page a query asks for, 1 being the first. */
export interface Paging {
  page: number
  size: number
}

/** @throws Problem 400 naming the parameter that is not a number, or not one of a page. */
export function pagingOf(query: URLSearchParams): Paging {
  const page = wholeNumber(query, 'page', 1) ?? 1
  if (page > lastPage) throw new Problem(400, `page must be at most ${lastPage}.`)
  const size = Math.min(wholeNumber(query, 'itemsPerPage', 0) ?? perPage, mostPerPage)
  if (size === 0 && page > 1) throw new Problem(400, 'With itemsPerPage=0 there is only page 1.')
  return { page, size }
}

export function sliceOf({ page, size }: Paging): Slice {
  return { limit: size, offset: (page - 1) * size }
}

/** The view of a collection: which page this is, and the way to the others. */
export function viewOf(
  path: string,
  query: URLSearchParams,
  { page, size }: Paging,
  total: number,
): object | undefined {
  const last = size === 0 ? 1 : Math.max(1, Math.ceil(total / size))
  const rest = withoutPage(query)
  const to = (number: number) => `${path}?${rest}${rest && '&'}page=${number}`
  if (last === 1 && page === 1)
    return query.size === 0 ? undefined : { '@id': rest ? `${path}?${rest}` : path, '@type': 'PartialCollectionView' }
  return {
    '@id': to(page),
    '@type': 'PartialCollectionView',
    first: to(1),
    last: to(last),
    ...(page > 1 && { previous: to(Math.min(page - 1, last)) }),
    ...(page < last && { next: to(page + 1) }),
  }
}

/** The parameters that every page's link has in common, sorted. */
function withoutPage(query: URLSearchParams): string {
  if (query.size === 0) return ''
  const parameters = new URLSearchParams([...query].filter(([name]) => name !== 'page'))
  parameters.sort()
  return parameters.toString()
}

function wholeNumber(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= least)) throw new Problem(400, `${name} must be a whole number from ${least}.`)
  return number
}
