import { Subscription } from '../../entities/index.ts'
import { type Answer, raw } from '../support/requests/raw-responses.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, database, tenant, tokenOf } = await openWorld()

export const owner = `Bearer ${await tokenOf(tenant.users.owner)}`
export const profile = 'http://www.w3.org/ns/json-ld#'
export const rows = await rowsOf(tenant)
const freeForm = { metadata: [{ name: 'a', value: 'ü' }] }
await database.manager.update(Subscription, { id: rows.Subscription.id }, freeForm)
export const meeting = `/meetings/${rows.Meeting.id}`
const { body: entrypoint } = await api.get('/')
export const collections = Object.values<string>(entrypoint).filter((path) => /^\/[a-z-]+$/.test(path))
export const items = (
  await Promise.all(collections.map(async (path) => (await api.get(path)).body.member[0]?.['@id'] as string))
).filter((path) => path !== undefined)

export const ask = (path: string, accept?: string, headers: Record<string, string> = {}): Promise<Answer> =>
  raw('GET', path, { Authorization: owner, ...(accept !== undefined && { Accept: accept }), ...headers })

export const typeOf = ({ status, headers }: Answer) => [status, headers['content-type']]

export const types = {
  jsonld: 'application/ld+json; charset=utf-8',
  expanded: `application/ld+json; profile="${profile}expanded"; charset=utf-8`,
  flattened: `application/ld+json; profile="${profile}flattened"; charset=utf-8`,
  json: 'application/json; charset=utf-8',
  turtle: 'text/turtle; charset=utf-8',
  nquads: 'application/n-quads; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
}

export const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'
