import type { Api } from '../hydra/index.ts'
import type { PageView } from './engine.ts'
import type { Formats } from './parts/formats.ts'
import type { Language } from './words/language.ts'

/** The title of an item. */
export interface Title {
  text: string
  /** Where the text ends with a date-time: the text before it, and the date-time of the document. */
  moment?: { before: string; iso: string }
}

/** The titles of items by their IRI. */
export type Titles = ReadonlyMap<string, Title>

/** Everything that the parts of one page are drawn from. */
export interface Drawing extends Language {
  api: Api
  view: PageView
  /** Dates, numbers and money in the page's language, and in the time zone of the caller's organization. */
  formats: Formats
  /** The titles of the items that the page refers to. */
  titles: Titles
  /** The address of a path of this server, which keeps the language of the page. */
  to(path: string): string
}

/** Adds the language to an address where the address of the page names it. */
export function linkKeeper({ tag, chosen }: Language): Drawing['to'] {
  if (!chosen) return (path) => path
  return (path) => {
    const [address, fragment] = path.split('#')
    if (/[?&]lang=/.test(address)) return path
    return `${address}${address.includes('?') ? '&' : '?'}lang=${tag}${fragment === undefined ? '' : `#${fragment}`}`
  }
}

/** The address of a page with other parameters. An empty list takes a parameter away. */
export function withParameters(drawing: Pick<Drawing, 'api' | 'view'>, changes: Record<string, string[]>): string {
  const { request } = drawing.view
  const kept = [...request.query].filter(([name]) => !(name in changes))
  const added = Object.entries(changes).flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  )
  const query = new URLSearchParams([...kept, ...added]).toString()
  return query === '' ? pathOf(drawing) : `${pathOf(drawing)}?${query}`
}

/** The path of a page, with the suffix of a format where its address has one. */
export function pathOf({ api, view: { request } }: Pick<Drawing, 'api' | 'view'>): string {
  return api.iris.at(request.withSuffix(request.path))
}

/** The parameters that name a page of a collection. A change of filters or order begins at the first page. */
export const firstPage: Record<string, string[]> = { page: [], after: [], before: [] }

/** Whether the address asks for a part of the page that is not always there: `view=filters`, `view=source`. */
export function asksFor({ view: { request } }: Pick<Drawing, 'view'>, part: 'filters' | 'source'): boolean {
  return request.query.getAll('view').includes(part)
}

/** The values of `view` that keep the filters open, for an address that names another picture. */
export function shownFilters(drawing: Pick<Drawing, 'view'>): string[] {
  return asksFor(drawing, 'filters') ? ['filters'] : []
}

/** The address of the page with such a part, or without it. */
export function withPart(drawing: Pick<Drawing, 'api' | 'view'>, part: 'filters' | 'source', isShown: boolean): string {
  const others = drawing.view.request.query.getAll('view').filter((name) => name !== part)
  return withParameters(drawing, { view: isShown ? [...others, part] : others })
}
