const { as, operator, organization, tenant } = await openWorld()

// The same mistake could be in every property with a closed set of values and every one that some roles alone may write.
import { classes, docs, openapi, operations, propertiesOf, schemas } from '../support/docs.ts'
import { openWorld } from '../support/world.ts'

interface Documented {
  title: string
  writeable: boolean
  description?: string
  writableBy?: string[]
  'sh:path'?: string
  'sh:in'?: unknown[]
}

const property = (name: string, title: string) =>
  propertiesOf(name).find((one) => one.title === title) as unknown as Documented

// SHACL §4.8.3 (sh:in), JSON Schema §6.1.2 (enum): the values of a property are declared wherever it is documented.
test.each<[string, string, string[]]>([
  ['Organization', 'type', ['company', 'personal', 'partner']],
  ['Organization', 'status', ['provisioning', 'active', 'suspended', 'closed']],
  ['OrganizationUser', 'role', ['member', 'admin', 'owner']],
  ['OrganizationUser', 'status', ['active', 'suspended']],
  ['OrganizationUserInvitation', 'role', ['member', 'admin', 'owner']],
  ['OrganizationUserInvitation', 'status', ['pending', 'accepted', 'revoked', 'expired']],
  ['OrganizationAddress', 'kind', ['billing', 'visiting', 'postal']],
  ['Subscription', 'type', ['monthly', 'yearly']],
  [
    'Subscription',
    'status',
    ['incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'canceled', 'paused'],
  ],
  ['Invoice', 'status', ['draft', 'open', 'paid', 'uncollectible', 'void']],
  ['Integration', 'status', ['pending', 'active', 'importing', 'expired', 'error', 'revoking', 'revoked']],
  ['Integration', 'provider', ['kontomatik']],
  ['OrganizationModule', 'name', ['planning', 'banking', 'invoicing', 'reporting']],
  ['OrganizationModule', 'source', ['subscription', 'operator']],
  ['KontomatikSetup', 'accessMode', ['SINGLE', 'MULTIPLE', 'MIXED']],
])('%s.%s declares its values', (name, title, values) => {
  const { 'sh:in': declared, 'sh:path': path } = property(name, title)
  expect(declared).toEqual(values)
  expect(path).toBe((property(name, title) as unknown as { property: { '@id': string } }).property['@id'])
  const { enum: listed } = schemas[name].properties[title]
  expect(listed.filter((value: unknown) => value !== null)).toEqual(values)
})

test('a list declares the values of its members', () => {
  expect(property('Subscription', 'modules')['sh:in']).toEqual(['planning', 'banking', 'invoicing', 'reporting'])
  expect(schemas.Subscription.properties.modules.items.enum).toEqual(property('Subscription', 'modules')['sh:in'])
})

test('no rule of a schema has values that the documentation lacks', () => {
  for (const [name, { properties }] of Object.entries(schemas))
    for (const [title, { enum: values }] of Object.entries(properties))
      if (values) expect([name, title, property(name, title)['sh:in']]).toEqual([name, title, values.filter(Boolean)])
})

test('a filter by such a property lists them', () => {
  const parameters = (path: string) =>
    openapi.paths[path].get.parameters as { name: string; description: string; schema: { enum?: string[] } }[]
  for (const [path, name, value] of [
    ['/subscriptions', 'status', 'past_due'],
    ['/organization-users', 'role', 'owner'],
    ['/organization-addresses', 'kind', 'postal'],
    ['/invoices', 'status', 'void'],
  ])
    expect(parameters(path).find((one) => one.name === name)?.schema.enum).toContain(value)
  for (const { get } of Object.values(
    openapi.paths as Record<string, { get?: { parameters?: { name?: string; description?: string }[] } }>,
  )) {
    const described = (get?.parameters ?? []).filter(({ name }) => name).map(({ description }) => description)
    expect(new Set(described).size).toBe(described.length)
  }
})

// There is one public documentation. A property that no role of a tenant may write is not writeable in it.
test.each(['status', 'stripeCustomerId', 'manualBilling', 'demo', 'productionLike'])(
  'Organization.%s is documented as the operator’s to write',
  async (title) => {
    const { writeable, writableBy, description } = property('Organization', title)
    expect([writeable, writableBy]).toEqual([false, ['operator']])
    expect(description).toContain('Written by the operator.')
    expect(schemas.Organization.properties[title]).toMatchObject({ readOnly: true, 'x-writable-by': ['operator'] })
    const patch = openapi.paths['/organizations/{id}'].patch.requestBody.content['application/merge-patch+json']
    expect(patch.schema.properties[title].description).toContain('Written by the operator.')
  },
)

test('a property that several roles may write names them', () => {
  expect(property('Organization', 'name')).toMatchObject({ writeable: true })
  expect(property('Organization', 'name').writableBy).toEqual(expect.arrayContaining(['admin', 'owner']))
  expect(property('Location', 'name')).toMatchObject({ writeable: true, writableBy: ['admin', 'owner'] })
  expect(property('Meeting', 'notes')).toMatchObject({ writeable: true, writableBy: ['member', 'admin', 'owner'] })
  for (const { supportedProperty } of classes.values())
    for (const one of supportedProperty as unknown as Documented[])
      expect(one.writableBy ? one.writableBy.length > 0 : !one.writeable || true).toBe(true)
})

test('each operation says which roles may call it, and the server agrees', async () => {
  for (const operation of operations) {
    const { roles } = operation as unknown as { roles?: string[] }
    const isPublic = roles?.includes('anonymous') || operation['@id'] === '#readEntrypoint'
    const said = isPublic ? /Needs no token\./ : /For (the|any) /
    if (operation['@id'] !== '#readEntrypoint') expect(operation.description).toMatch(said)
  }
  const clear = operations.find((operation) => operation['@id'] === '#clearOrganization') as unknown as {
    roles: string[]
  }
  expect(clear.roles).toEqual(['owner'])
  expect(openapi.paths['/organizations/clear'].post['x-roles']).toEqual(['owner'])
  expect((await as(tenant.users.admin).post('/organizations/clear', { confirm: 'acme' })).status).toBe(403)
  const path = `/organizations/${organization.id}`
  expect((await as(operator).patch(path, { demo: true })).body.demo).toBe(true)
  expect(docs.supportedClass.length).toBeGreaterThan(20)
})
