/** The columns of a meeting that a response shows. */
export interface Row {
  id: string
  employeeId: string | null
  dateFrom: Date
  dateTo: Date
  notes: string | null
  time: Date | null
}

/** The organization of each caller, by the Authorization header. */
export type Tenants = Record<string, string>

export const context = { '@context': '/contexts/Meeting' }

/** Whole seconds are written without a fraction. */
export const instantOf = (date: Date | null): string | null => {
  const text = date?.toISOString()
  return text ? (text.endsWith('.000Z') ? `${text.slice(0, 19)}Z` : text) : null
}

/** The page that a request asks for. */
export interface PageRequest {
  employee?: string
  page: number
  after?: string
}

const filter = 'employee=/employees/'

/** Reads the three queries that the benchmark sends: none, an employee, or a page with its cursor. */
export function pageRequestOf(url: string): PageRequest {
  const query = url.slice('/meetings?'.length)
  if (query.startsWith(filter)) return { employee: query.slice(filter.length), page: 1 }
  const [, page, after] = /^page=(\d+)(?:&after=([\w-]+))?/.exec(query) ?? []
  return { page: Number(page ?? 1), after }
}

export const readCursor = (after: string): string => JSON.parse(Buffer.from(after, 'base64url').toString())[0]

export const cursorOf = ({ id }: { id: string }) => Buffer.from(JSON.stringify([id])).toString('base64url')

/** The document of a page, with the links to the others. */
export async function pageDocument(
  { employee, page, after }: PageRequest,
  rows: { id: string }[],
  member: object[],
  total: number,
  authorization: string,
): Promise<object> {
  const { search, memberAssertion } = await partsOf('/meetings', authorization)
  const path = employee ? `/meetings?employee=${encodeURIComponent(`/employees/${employee}`)}&` : '/meetings?'
  const last = Math.ceil(total / 30)
  const several = {
    '@id': `${path}page=${page}${after ? `&after=${after}` : ''}`,
    '@type': 'PartialCollectionView',
    first: `${path}page=1`,
    last: `${path}page=${last}&before=end`,
    ...(page > 1 && { previous: `${path}page=${page - 1}&before=${cursorOf(rows[0])}` }),
    ...(page < last && { next: `${path}page=${page + 1}&after=${cursorOf(rows[rows.length - 1])}` }),
  }
  return {
    ...context,
    '@id': '/meetings',
    '@type': 'Collection',
    totalItems: total,
    member,
    view: last > 1 ? several : { '@id': path.slice(0, -1), '@type': 'PartialCollectionView' },
    search,
    memberAssertion,
  }
}

/** The constant parts of responses, fetched once from the API and then sent unchanged. */
const constantParts = new Map<string, Promise<Record<string, unknown>>>()

export function partsOf(path: string, authorization: string): Promise<Record<string, unknown>> {
  const parts = constantParts.get(path) ?? fetchFromApi(path, authorization)
  constantParts.set(path, parts)
  return parts
}

async function fetchFromApi(path: string, authorization: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${process.env.PUBLIC_URL}${path}`, { headers: { authorization } })
  return response.json() as Promise<Record<string, unknown>>
}
