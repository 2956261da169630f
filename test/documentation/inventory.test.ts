import type { Callers } from '../../src/access/callers.ts'
import { api as table } from '../../src/api.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, as, banking, billing, elsewhere, operator, person, tenant } = await openWorld()

interface Documented {
  responses: Record<string, unknown>
}

const methods = ['get', 'post', 'patch', 'delete'] as const
const { body: openapi } = await api.get('/docs.jsonopenapi')
const paths: Record<string, Partial<Record<(typeof methods)[number], Documented>>> = openapi.paths
const documented = Object.entries(paths).flatMap(([path, item]) =>
  methods
    .filter((method) => method in item)
    .map((method) => ({ method, path, responses: item[method]?.responses ?? {} })),
)
const resources = table({ of: () => Promise.reject(), forget() {} } as unknown as Callers, billing, banking)
const offered = resources.flatMap(({ path, operations }) =>
  operations.map((operation) => `${operation.method} ${(path + operation.path).replace(':id', '{id}')}`),
)
const rows = await rowsOf(tenant)
await rowsOf(elsewhere)
const guest = await person('guest')

const callers = {
  anonymous: as(),
  guest: as(guest),
  member: as(tenant.users.member),
  admin: as(tenant.users.admin),
  owner: as(tenant.users.owner),
  operator: as(operator),
}

test('OpenAPI documents every route, and no other', () => {
  expect(documented.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(
    expect.arrayContaining([...new Set(offered)].sort()),
  )
  const beside = documented
    .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    .filter((one) => !offered.includes(one))
  expect(beside.filter((one) => !/^GET \/($|docs|contexts|errors|health|\.well-known)/.test(one))).toEqual([])
})

test('Hydra documents the same operations', async () => {
  const { text } = await api.get('/docs.jsonld')
  for (const { name, operations } of resources)
    for (const operation of operations)
      if (operation.path !== '/me') expect(text).toContain(`"@id":"#${operation.name}${name}"`)
})

test.each(Object.keys(callers) as (keyof typeof callers)[])(
  'every operation returns a documented status to %s',
  async (role) => {
    for (const { method, path, responses } of documented) {
      const target = itemPath(path)
      const answer = await callers[role][method](target, method === 'post' || method === 'patch' ? {} : undefined)
      expect(`${method} ${path} → ${answer.status}`).toBe(
        `${method} ${path} → ${Object.keys(responses).includes(String(answer.status)) ? answer.status : 'undocumented'}`,
      )
      expect(answer.status).not.toBe(405)
    }
  },
)

/** The path of an existing item; after a DELETE it returns 404, which is documented too. */
function itemPath(path: string): string {
  const resource = resources.find((one) => path.startsWith(`${one.path}/{id}`))
  const row = resource && (rows as Record<string, { id: string }>)[resource.name]
  return path
    .replace('{id}', row?.id ?? 'NL')
    .replace('{name}', 'Meeting')
    .replace('{status}', '404')
}
