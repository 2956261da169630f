import { idSpellings, referenceForms } from '../../support/requests/id-spellings.ts'
import type { Answer } from '../../support/requests/raw-responses.ts'
import { snapshot } from '../../support/rows/database-snapshot.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import {
  ask,
  joined,
  ownerOfBoth,
  type Route,
  resources,
  routes,
  send,
  tokens,
  unknown,
  writes,
} from './route-requests.ts'

const { elsewhere, tenant } = await openWorld()

const mine = await rowsOf(tenant)
const theirs = await rowsOf(elsewhere)
const callers = { ...tokens, both: ownerOfBoth }
type Caller = keyof typeof callers

const owned = resources.filter(({ options }) => !options.singleton && !options.public)
const withId = routes.filter(({ path, resource }) => path.includes(':id') && owned.includes(resource))
const everybody = Object.keys(callers) as Caller[]
const tenants = ['member', 'admin', 'owner'] as const
const pathOf = (type: string) => resources.find(({ name }) => name === type)?.path as string
const may = ({ may }: Route, caller: Caller) => may.includes(caller === 'both' ? 'owner' : caller)

/** Whether a row of another organization is the caller's to see all the same: the operator's are all, and one's own organizations. */
const isShared = (route: Route, caller: Caller, type: string) =>
  type === route.resource.name &&
  may(route, caller) &&
  (caller === 'operator' || (caller === 'both' && type === 'Organization'))

const nobodys = new Map<string, Promise<Answer>>()

/** The response to an id that no row has. */
function nowhere(route: Route, caller: Caller): Promise<Answer> {
  const key = `${route.title} ${caller}`
  const answer = nobodys.get(key) ?? ask(route, { token: callers[caller] })
  nobodys.set(key, answer)
  return answer
}

function* ids(): Generator<Case> {
  for (const route of withId)
    for (const caller of everybody)
      for (const [type, { id }] of Object.entries(theirs))
        if (!isShared(route, caller, type))
          yield async () => {
            const [other, none] = [await ask(route, { id, token: callers[caller] }), await nowhere(route, caller)]
            const expected = may(route, caller) ? 404 : caller === 'anonymous' ? 401 : 403
            const same = other.status === none.status && other.text === none.text
            return unless(same && other.status === expected, `${route.title} of ${type} by ${caller}: ${other.status}`)
          }
}

function* spellings(): Generator<Case> {
  for (const route of withId)
    for (const caller of tenants)
      if (may(route, caller))
        for (const id of idSpellings(theirs[route.resource.name].id, route.resource.path))
          yield async () => {
            const { status } = await ask(route, { id, token: callers[caller] })
            return unless(status >= 400 && status < 500, `${route.title} with ${id} by ${caller}: ${status}`)
          }
}

const suffixes = ['.jsonld', '.json', '.ttl', '.nq', '.html', '.csv', '?page=1', '?properties[]=id']
const conditions: Record<string, string>[] = [
  ...['*', '"1-x"'].flatMap((etag) => ['If-Match', 'If-None-Match'].map((name) => ({ [name]: etag }))),
  ...['handling=strict', 'return=minimal'].map((Prefer) => ({ Prefer })),
  ...['text/turtle', 'text/html', 'application/json'].map((Accept) => ({ Accept })),
  { Range: 'bytes=0-9' },
]

function* circumstances(): Generator<Case> {
  for (const route of withId.filter((route) => may(route, 'owner'))) {
    const plain = conditions.map((headers) => ({ suffix: '', headers }))
    const read = route.method === 'GET' ? suffixes.map((suffix) => ({ suffix, headers: {} })) : []
    for (const { suffix, headers } of [...plain, ...read])
      yield async () => {
        const requests = [theirs[route.resource.name].id, unknown].map(async (id) => {
          const answer = await ask({ ...route, path: route.path + suffix }, { id, headers, token: callers.owner })
          // The page of a problem repeats the address that was asked for.
          const address = `${route.resource.path}/${id}`
          return { ...answer, text: answer.text.replaceAll(address, '…').replaceAll(encodeURIComponent(address), '…') }
        })
        const [other, none] = await Promise.all(requests)
        const same = other.status === none.status && other.text === none.text
        const said = `${route.title}${suffix} with ${JSON.stringify(headers)}: ${other.status}, else ${none.status}`
        return unless(same && other.status >= 400, said)
      }
  }
}

function* references(): Generator<Case> {
  for (const route of routes)
    for (const { name, kind, target } of route.input?.fields ?? [])
      for (const role of tenants)
        if (kind === 'reference' && theirs[target?.name as string] && writes(route, name, role))
          for (const [form, body] of Object.entries(referenceForms))
            if (route.method === 'POST' || !form.includes('context'))
              yield async () => {
                const refusals = [theirs[target?.name as string].id, unknown].map(async (id) => {
                  const iri = `${pathOf(target?.name as string)}/${id}`
                  const sent = { body: body(name, iri, route.input?.name as string), token: callers[role] }
                  const { status, text } = await ask(route, { id: mine[route.resource.name]?.id, ...sent })
                  const said = JSON.parse(text).violations?.find((one: object) => Object.values(one).includes(name))
                  return `${status} ${JSON.stringify(said)?.replaceAll(id, '…')}`
                })
                const [other, none] = await Promise.all(refusals)
                const title = `${route.title} with ${name} as ${form} by ${role}`
                return unless(other === none && /^422 {/.test(other), `${title}: ${other}, else ${none}`)
              }
}

function* filters(): Generator<Case> {
  for (const route of routes.filter(({ operation }) => operation.returns === 'collection')) {
    const { search, shape } = joined.of(route.operation.members ?? route.resource.entity)
    const variables = search.variables.flatMap(({ name, property }) => {
      const type = name === 'id' ? shape.name : shape.field.get(property)?.target?.name
      return type ? [name, `${name}[]`, `${name}[0]`].map((name) => [name, type]) : []
    })
    const invented = ['organization', 'organization[]', 'organizationId', 'tenant'].map((name) => [
      name,
      'Organization',
    ])
    for (const [name, type] of [...variables, ...invented])
      for (const caller of [...tenants, 'both'] as const)
        if (theirs[type] && may(route, caller) && !isShared(route, caller, type))
          yield async () => {
            const found = [theirs[type].id, unknown].map(async (id) => {
              const iri = encodeURIComponent(`${pathOf(type)}/${id}`)
              const path = `${route.path}?${encodeURIComponent(name)}=${iri}`
              const where = path.replace(':id', mine[route.resource.name]?.id)
              const { status, text } = await send('GET', where, { token: callers[caller] })
              return `${status} ${text.replaceAll(iri, '…').replaceAll(decodeURIComponent(iri), '…')}`
            })
            const [other, none] = await Promise.all(found)
            return unless(other === none && /^(200|400)/.test(other), `${route.title}?${name} by ${caller}: ${other}`)
          }
  }
}

function* rows(): Generator<Case> {
  for (const { name } of owned) yield async () => unless(name in theirs && name in mine, `rowsOf gives no ${name}`)
}

const before = await snapshot()
testCaseGroups(
  'API1',
  {
    'Every class has a row that somebody could be after': rows(),
    'An id of theirs is answered as one that nobody has': ids(),
    'however it is spelled': spellings(),
    'and whatever is asked along with it': circumstances(),
    'A reference of theirs in a body is as unknown as one to nothing': references(),
    'A reference of theirs in a query finds nothing': filters(),
  },
  { settled: async () => expect(await snapshot()).toEqual(before) },
)
