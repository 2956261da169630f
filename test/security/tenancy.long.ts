import { get, type OutgoingHttpHeaders, request } from 'node:http'
import type { Callers } from '../../src/access/callers.ts'
import { tenantRoles } from '../../src/access/roles.ts'
import { apiOptions, api as table } from '../../src/api.ts'
import { inputOf } from '../../src/hydra/documentation/operation-description.ts'
import { Api } from '../../src/hydra/index.ts'
import { idSpellings, invalidIris } from '../support/requests/id-spellings.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, elsewhere, organization, publicUrl, tenant, tokenOf } = await openWorld()

const mine = await rowsOf(tenant)
const theirs = await rowsOf(elsewhere)

const resources = table({} as Callers, {} as never, {} as never)
const joined = new Api(resources, database, { ...apiOptions, publicUrl })
const pathOf = (type: string) => resources.find(({ name }) => name === type)?.path as string
const unknown = '01900000-0000-7000-8000-000000000000'

const operations = resources.flatMap((resource) =>
  resource.operations.map((operation) => ({
    resource,
    operation,
    title: `${operation.method} ${resource.path}${operation.path}`,
    forOwners: (operation.may ?? (tenantRoles as readonly string[])).includes('owner'),
  })),
)
const withId = operations.filter(
  ({ operation, resource }) => operation.path.includes(':id') && !resource.options.public,
)

/** Every property by which a body can name another resource, in every operation that reads it. */
const references = operations.flatMap(({ resource, operation, title }) => {
  const input = inputOf(operation, resource.entity)
  const fields = input ? joined.shape(input).fields : []
  return fields
    .filter(({ kind, writable }) => kind === 'reference' && writable)
    .filter(({ name }) => operation.writes === undefined || operation.writes[name]?.includes('owner'))
    .map(({ name, target }) => ({
      title: `${title} with ${name}`,
      method: operation.method,
      path: (resource.path + operation.path).replace(':id', mine[resource.name]?.id),
      name,
      type: target?.name as string,
    }))
})
const belonging = references.filter(({ type }) => type !== 'Country')

const ids = Object.values(theirs).map(({ id }) => id)
const cases =
  withId.length * ids.length +
  withId.length * idSpellings('', '').length +
  belonging.length * (1 + idSpellings('', '').length + invalidIris('', '').length)

let untouched: unknown
beforeAll(async () => {
  untouched = await everythingOf(elsewhere.organization.id)
})

afterEach(async () => {
  expect(await everythingOf(elsewhere.organization.id)).toEqual(untouched)
})

test(`the table makes ${cases} cases of ${withId.length} operations with an id and ${belonging.length} references`, () => {
  expect(cases).toBeGreaterThan(1500)
  const forgotten = resources.filter(({ name, options }) => !options.singleton && !options.public && !(name in theirs))
  expect(forgotten.map(({ name }) => `Add a row "${name}" to rowsOf in test/support/rows/sample-rows.ts.`)).toEqual([])
})

test.each(withId)('$title answers to every id of another organization as to one that does not exist', async (row) => {
  const nowhere = await ask(row, unknown)
  expect(nowhere.status).toBe(row.forOwners ? 404 : 403)
  for (const id of ids) {
    const { status, text } = await ask(row, id)
    expect({ id, status, text }).toEqual({ id, status: nowhere.status, text: nowhere.text })
  }
})

test.each(withId)('$title is not misled by another spelling of an id', async (row) => {
  const { resource, operation } = row
  const authorization = `Bearer ${await tokenOf(tenant.users.owner)}`
  for (const disguise of idSpellings(theirs[resource.name]?.id ?? unknown, resource.path)) {
    const path = `${resource.path}${operation.path.replace(':id', disguise)}`
    const status = await askRaw(operation.method, path, { authorization })
    expect({ path, refused: status >= 400 && status < 500 }).toEqual({ path, refused: true })
  }
})

test.each(belonging)('$title of another organization is refused as one that does not exist', async (row) => {
  const path = pathOf(row.type)
  expect(await fault(row, `${path}/${theirs[row.type].id}`)).toBe(await fault(row, `${path}/${unknown}`))
})

test.each(belonging)('$title is not misled by another spelling of an IRI', async (row) => {
  const path = pathOf(row.type)
  const foreign = idSpellings(theirs[row.type].id, path).map((id) => `${path}/${id}`)
  for (const iri of [...foreign, ...invalidIris(path, mine[row.type].id)])
    expect([iri, await fault(row, iri)]).toEqual([iri, expect.any(String)])
})

test.each(operations.filter(({ operation, forOwners }) => operation.returns === 'collection' && forOwners))(
  '$title holds nothing of another organization',
  async ({ resource, operation }) => {
    const path = resource.path + operation.path.replace(':id', mine[resource.name]?.id)
    const shape = joined.shape(resource.entity)
    const queries = [
      '',
      'page=2',
      ...ids.map((id) => `id[]=${resource.path}/${id}`),
      ...shape.fields
        .filter(({ kind, target }) => kind === 'reference' && theirs[target?.name as string])
        .map(({ name, target }) => `${name}=${pathOf(target?.name as string)}/${theirs[target?.name as string].id}`),
      `organization=/organizations/${elsewhere.organization.id}`,
      `organizationId=${elsewhere.organization.id}`,
    ]
    for (const caller of [api, as(tenant.users.admin), as(tenant.users.member)])
      for (const query of queries) {
        const { body, status } = await caller.get(`${path}?itemsPerPage=100&${query}`)
        expect([200, 400, 403]).toContain(status)
        const members = JSON.stringify(body.member ?? [])
        expect(ids.filter((id) => members.includes(`/${id}"`))).toEqual([])
      }
  },
)

test('an action on the current organization takes no other from a header, a query or a body', async () => {
  const other = elsewhere.organization
  const headers = { organization: other.id, 'x-organization': other.id, 'x-organization-id': other.id }
  for (const path of [`/organizations/mail-footer?organization=${other.id}`, '/organizations/mail-footer']) {
    const response = await api.patch(path, { mailFooter: 'mine', organization: other.id }).set(headers)
    expect(response.status).toBe(200)
  }
  const { body } = await api.get('/organizations').set(headers)
  expect(body.member.map((node: { '@id': string }) => node['@id'])).toEqual([`/organizations/${organization.id}`])
})

test('id and organization in a body are ignored', async () => {
  const claims = { id: theirs.Location.id, organization: `/organizations/${elsewhere.organization.id}` }
  const response = await api.post('/locations', {
    name: 'Planted',
    organizationId: elsewhere.organization.id,
    ...claims,
  })
  expect(response.status).toBe(201)
  expect(response.body.id).not.toBe(theirs.Location.id)
  expect((await api.patch(response.body['@id'], { ...claims, name: 'Moved' })).status).toBe(200)
  expect((await api.get(response.body['@id'])).body.name).toBe('Moved')
})

test('Postgres itself refuses a link from one organization to another', async () => {
  const link = `INSERT INTO "meeting" ("id", "organizationId", "employeeId", "dateFrom", "dateTo", "createdAt", "updatedAt", "version")
    VALUES ($1, $2, $3, '2026-01-01', '2026-01-02', now(), now(), 1)`
  await expect(database.query(link, [unknown, organization.id, theirs.Employee.id])).rejects.toMatchObject({
    code: '23503',
  })
})

test('every foreign key between rows of tenants includes their organization', async () => {
  const loose = await database.query(`
    SELECT con.conrelid::regclass || ' -> ' || con.confrelid::regclass AS "link" FROM pg_constraint con
      JOIN pg_attribute source ON source.attrelid = con.conrelid AND source.attname = 'organizationId'
      JOIN pg_attribute target ON target.attrelid = con.confrelid AND target.attname = 'organizationId'
     WHERE con.contype = 'f' AND NOT source.attnum = ANY (con.conkey)`)
  expect(loose).toEqual([])
})

test('every table of tenants has an index that starts with the organization', async () => {
  const tables = await tenantTables()
  const indexed = await database.query(`
    SELECT DISTINCT rel.relname AS name FROM pg_index ind
      JOIN pg_class rel ON rel.oid = ind.indrelid
      JOIN pg_attribute att ON att.attrelid = rel.oid AND att.attnum = ind.indkey[0]
     WHERE att.attname = 'organizationId' AND ind.indpred IS NULL`)
  expect(tables.length).toBeGreaterThanOrEqual(16)
  expect(tables.filter((name) => !indexed.some((row: { name: string }) => row.name === name))).toEqual([])
})

test('a migrated database has the schema of the entities', async () => {
  const { upQueries } = await database.driver.createSchemaBuilder().log()
  expect(upQueries.map(({ query }) => query)).toEqual([])
})

function ask({ resource, operation }: (typeof operations)[number], id: string) {
  const path = resource.path + operation.path.replace(':id', id)
  if (operation.method === 'PATCH') return api.patch(path, {})
  if (operation.method === 'POST') return api.post(path, {})
  return operation.method === 'DELETE' ? api.delete(path) : api.get(path)
}

/** Asks for a path to the letter, which clients like to tidy up. */
function askRaw(method: string, path: string, headers: OutgoingHttpHeaders): Promise<number> {
  const { hostname, port } = new URL(publicUrl)
  const body = method === 'GET' || method === 'DELETE' ? undefined : '{}'
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/ld+json'
  return new Promise((resolve, reject) => {
    const options = { hostname, port, path, method, headers: body ? { ...headers, 'content-type': type } : headers }
    const sent = (method === 'GET' ? get : request)(options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode as number))
    })
    sent.on('error', reject).end(body)
  })
}

/** The violation of a reference, without its IRI; undefined without a violation. */
async function fault({ method, path, name }: (typeof references)[number], iri: string): Promise<string | undefined> {
  const { status, body } = await (method === 'PATCH' ? api.patch : api.post)(path, { [name]: iri })
  expect(status).toBe(422)
  const violation = body.violations.find(({ propertyPath }: { propertyPath: string }) => propertyPath === name)
  return violation?.message.replace(iri, '…')
}

async function tenantTables(): Promise<string[]> {
  const tables = await database.query(
    `SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'organizationId' ORDER BY 1`,
  )
  return tables.map(({ name }: { name: string }) => name)
}

/** Every row of an organization, to the last column. */
async function everythingOf(id: string): Promise<unknown> {
  const rows: Record<string, unknown> = {
    organization: await database.query(`SELECT to_jsonb(t) FROM "organization" t WHERE "id" = $1`, [id]),
  }
  for (const name of await tenantTables())
    rows[name] = await database.query(`SELECT to_jsonb(t) FROM "${name}" t WHERE "organizationId" = $1 ORDER BY 1`, [
      id,
    ])
  return rows
}
