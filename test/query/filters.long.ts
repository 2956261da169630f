import { In } from 'typeorm'
import { AuditEvent, Employee, Location, Meeting } from '../../entities/index.ts'
import { api as table } from '../../src/api.ts'
import { queriesOf } from '../support/requests/filter-queries.ts'
import { givenVariety } from '../support/rows/filterable-rows.ts'
import { givenInvitation } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'

const { as, database, elsewhere, given, organization, publicUrl, tenant } = await openWorld()

type Row = Record<string, unknown>

await givenVariety()
const api = as(tenant.users.owner, { organization: organization.id })
const resources = table({} as never, {} as never, {} as never)
const filtered = resources.flatMap(({ path, entity, options: { filters = {} } }) =>
  Object.entries(filters).flatMap(([name, kinds]) => [kinds].flat().map((kind) => ({ path, entity, name, kind }))),
)

const idsAt = async (path: string) => {
  const { status, body } = await api.get(path)
  expect([status, body.detail]).toEqual([200, undefined])
  expect(body.totalItems).toBe(body.member.length)
  return body.member.map((node: Row) => (node['@id'] as string).split('/').at(-1)).sort()
}

test.each(filtered)('$path can be narrowed by $name ($kind)', async ({ path, entity, name, kind }) => {
  const ids = await idsAt(`${path}?itemsPerPage=100`)
  const rows: object[] = await database.manager.findBy(entity as typeof Location, { id: In(ids) })
  const relation = database.getMetadata(entity).findRelationWithPropertyPath(name)
  const held = (row: object) => (row as Row)[relation ? `${name}Id` : name] ?? null
  const values = [...new Set(rows.map(held).filter((value) => value !== null))].slice(-3)
  const to = resources.find((one) => one.entity === relation?.inverseEntityMetadata.target)
  const sizes: number[] = []
  for (const [query, holds] of queriesOf[kind](name, values, `${to?.path}/`)) {
    const wanted = rows.filter((row) => holds(held(row))).map((row) => (row as Row).id)
    expect([query, await idsAt(`${path}?itemsPerPage=100&${query}`)]).toEqual([query, wanted.sort()])
    sizes.push(wanted.length)
  }
  const isVaried = sizes.some((size) => size > 0 && size < rows.length)
  const remedy = `Add rows of ${entity.name} that differ in "${name}" to test/support/rows/filterable-rows.ts.`
  expect(isVaried ? [] : [remedy]).toEqual([])
})

test.each(resources.filter(({ listed }) => listed))(
  '$path gives the items whose ids or IRIs are sent',
  async ({ path }) => {
    const { body } = await api.get(path)
    const [one, other] = body.member.map((node: Row) => node['@id'])
    const id = (iri: string) => iri.split('/').at(-1) as string
    const both = [id(one), id(other)].sort()
    for (const given of [one, id(one), publicUrl + one]) expect(await idsAt(`${path}?id=${given}`)).toEqual([id(one)])
    for (const names of [
      ['id', 'id'],
      ['id[]', 'id[]'],
      ['id[0]', 'id[1]'],
    ])
      expect(await idsAt(`${path}?${names[0]}=${one}&${names[1]}=${id(other)}`)).toEqual(both)
    if (path !== '/countries') expect(await idsAt(`${path}?id[]=${path}/${unknownId(path)}`)).toEqual([])
    const descending = await api.get(`${path}?order[id]=DESC&itemsPerPage=100`)
    const ascending = await api.get(`${path}?order[id]=asc&itemsPerPage=100`)
    if (ascending.body.totalItems <= 100) expect(descending.body.member).toEqual(ascending.body.member.reverse())
  },
)

/** An id that an item of the collection could have and none has. */
const unknownId = (path: string) => (path === '/languages' ? 'fy' : '01900000-0000-7000-8000-00000000000a')

const references = filtered.filter(({ kind }) => kind === 'reference')

test.each([
  ...references.map(({ path, entity, name }) => {
    const target = database.getMetadata(entity).findRelationWithPropertyPath(name)?.inverseEntityMetadata.target
    return [path, name, resources.find((one) => one.entity === target)?.path as string]
  }),
  ...resources.filter(({ listed, options }) => listed && !options.store).map(({ path }) => [path, 'id', path]),
])('%s refuses a value of %s that can be no item of %s, and names the parameter', async (path, name, target) => {
  const some = target === '/countries' ? 'NL' : unknownId(target)
  const known = target === '/countries' ? [] : [some]
  for (const value of [...known, `${target}/${some}`, `${publicUrl}${target}/${some}`])
    expect((await api.get(`${path}?${name}=${value}`)).status).toBe(200)
  const other = target === '/locations' ? '/employees' : '/locations'
  for (const value of [
    ...['.jsonld', '?x=1', '#x', '/', '/x', '%00'].map((end) => `${target}/${some}${end}`),
    ...(target === '/languages' ? [] : ['1', 'XX']).map((id) => `${target}/${id}`),
    ...['', '..', '%E0%A4%A'].map((id) => `${target}/${id}`),
    `${other}/${unknownId(other)}`,
    `https://elsewhere.example${target}/${some}`,
    `${target}s/${some}`,
    `${target.slice(1)}/${some}`,
    '/organizations/mail-footer',
  ]) {
    const { status, body } = await api.get(`${path}?${name}[]=${encodeURIComponent(value)}`)
    expect([value, status]).toEqual([value, 400])
    expect(body.detail).toBe(`The parameter "${name}" takes IRIs such as "${target}/…".`)
  }
})

test.each(resources.filter(({ listed }) => listed))(
  '$path is not narrowed by a form that sends every parameter empty',
  async ({ path }) => {
    const { body } = await api.get(path)
    const variables: string[] = body.search.mapping.map(({ variable }: Row) => variable)
    const named = [...variables, 'properties[]'].filter((name) => !decodeURIComponent(name).startsWith('exists['))
    const all = await api.get(`${path}?${named.map((name) => `${encodeURIComponent(name)}=`).join('&')}`)
    expect([all.status, all.body.detail, all.body.totalItems]).toEqual([200, undefined, body.totalItems])
    expect(all.body.member).toEqual(body.member)
  },
)

test('an empty value beside others is passed over, and exists[…] without a value is true', async () => {
  expect(await idsAt('/employees?name[]=&name[]=ada')).toEqual(await idsAt('/employees?name=ada'))
  expect(await idsAt('/employees?active=&location=')).toHaveLength(4)
  expect(await idsAt('/employees?exists[location]=&active=')).toEqual(await idsAt('/employees?exists[location]=true'))
})

test('a date-time without offset is read by a filter of days as the day that is written', async () => {
  const day = await idsAt('/bank-transactions?transactionOn[after]=2026-02-03')
  expect(day).toHaveLength(2)
  expect(await idsAt('/bank-transactions?transactionOn[after]=2026-02-03T00:30')).toEqual(day)
  const { status, body } = await api.get('/bank-transactions?transactionOn[after]=2026-02-30T00:30')
  expect([status, body.detail]).toEqual([400, expect.stringContaining('transactionOn[after]')])
})

test('free text is looked for in each of its properties, as it is written', async () => {
  expect(await idsAt('/employees?q=MONTEUR')).toHaveLength(2)
  expect(await idsAt('/employees?q=worker1%40&q=ada+0')).toHaveLength(2)
  expect(await idsAt('/employees?q=')).toHaveLength(4)
  expect(await idsAt('/meetings?q=cv-ketel')).toHaveLength(1)
  for (const [name, text] of [
    ['100% zeker', '0%25'],
    ['a_b', 'A_B'],
    ['c:\\d', '%5CD'],
    ["d'e", "D'E"],
  ]) {
    const { id } = await given(Location, { name })
    expect(await idsAt(`/locations?q=${text}`)).toEqual([id])
    expect(await idsAt(`/locations?name=${text}`)).toEqual([id])
  }
})

test('filters together narrow further, and count what is left', async () => {
  expect(await idsAt('/employees?active=true&jobTitle=monteur&exists[location]=true')).toHaveLength(1)
  const { body } = await api.get('/employees?active=true&itemsPerPage=1')
  expect([body.member.length, body.totalItems]).toEqual([1, 3])
})

test("a filter finds no row of another tenant, and none that the caller's role may not read", async () => {
  const own = { organizationId: elsewhere.organization.id }
  const stranger = await given(Employee, { ...own, name: 'Zoltan' })
  const strange = await given(Meeting, { ...own, ...morning, employee: stranger, notes: 'Zolder' })
  const hidden = await given(Meeting, { ...morning, notes: 'Zolder' })
  for (const query of [`employee=/employees/${stranger.id}`, `id=${strange.id}`, `employee=${stranger.id}`])
    expect(await idsAt(`/meetings?${query}`)).toEqual([])
  expect(await idsAt('/employees?name=zoltan')).toEqual([])
  expect(await idsAt('/meetings?q=zolder')).toEqual([hidden.id])
  const mine = await as(tenant.users.member).get(`/meetings?q=zolder&id=${hidden.id}`)
  expect([mine.body.totalItems, mine.body.member]).toEqual([0, []])
  expect((await as(tenant.users.member).get('/meetings?dateFrom[after]=2000-01-01')).body.totalItems).toBe(1)
})

// A value that is unique without case, or stored in one case, is found in any case.
test.each<[path: string, name: string, stored: string]>([
  ['/employees', 'email', 'Case@Example.COM'],
  ['/users', 'email', 'Case@Example.COM'],
  ['/organization-user-invitations', 'email', 'Guest@Example.COM'],
  ['/bank-accounts', 'currency', 'SEK'],
  ['/bank-transactions', 'currency', 'SEK'],
  ['/bank-transactions', 'status', 'REJECTED'],
  ['/organizations', 'slug', organization.slug],
])('%s finds %s in any case', async (path, name, stored) => {
  await database.query('UPDATE "user" SET "email" = $1 WHERE "id" = $2', ['Case@Example.COM', tenant.users.member.id])
  if (path === '/employees') await given(Employee, { name: 'Case', email: stored })
  if (path === '/organization-user-invitations') await givenInvitation({ email: stored, invitedBy: tenant.users.owner })
  if (path.startsWith('/bank-')) {
    const table = path === '/bank-accounts' ? 'bank_account' : 'bank_transaction'
    await database.query(
      `UPDATE "${table}" SET "${name}" = $1 WHERE "id" = (SELECT max("id"::text)::uuid FROM "${table}")`,
      [stored],
    )
  }
  const ids = await idsAt(`${path}?${name}=${stored}`)
  expect(ids).toHaveLength(1)
  for (const value of [stored.toLowerCase(), stored.toUpperCase()]) {
    expect(await idsAt(`${path}?${name}=${value}`)).toEqual(ids)
    expect(await idsAt(`${path}?${name}[]=x&${name}[]=${value}`)).toEqual(ids)
  }
})

test('an audit event is found by the address of its target, in any spelling of it', async () => {
  const { id } = await given(Location, { name: 'Audited' })
  const event = await given(AuditEvent, {
    actor: tenant.users.owner,
    action: 'location.update',
    target: `/locations/${id}`,
    at: new Date(),
  })
  for (const spelling of ['', publicUrl].flatMap((from) => [
    `${from}/locations/${id}`,
    `${from}/locations/${id.toUpperCase()}`,
  ]))
    expect(await idsAt(`/audit-events?target=${spelling}`)).toEqual([event.id])
  const { body: footer } = await api.patch('/organizations/mail-footer', { mailFooter: '<b>x</b>' })
  expect(await idsAt(`/audit-events?target=${footer['@id']}`)).not.toEqual([])
})
