import { type Api, type Field, parseHydraDocumentation, parseOpenApi3Documentation } from '@api-platform/api-doc-parser'
import { openapi, propertiesOf, schemas } from '../support/docs.ts'
import { openWorld } from '../support/world.ts'

const { publicUrl, tenant, tokenOf } = await openWorld()

const logged: unknown[] = []
let byHydra: Api

beforeAll(async () => {
  const { error } = console
  console.error = (...message) => logged.push(message)
  const headers = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
  ;({ api: byHydra } = await parseHydraDocumentation(publicUrl, { headers }))
  console.error = error
})

/** The operations of each collection, and the targets of its references. */
const expected: Record<string, [operations: string, references: Record<string, string>]> = {
  'api-keys': ['list create show edit delete', { createdBy: 'User' }],
  'audit-events': ['list show', { actor: 'User', apiKey: 'ApiKey' }],
  'bank-accounts': ['list show', { integration: 'Integration' }],
  'bank-transactions': ['list show', { account: 'BankAccount' }],
  countries: ['list show', {}],
  employees: ['list create show edit', { user: 'User', location: 'Location' }],
  integrations: ['list show', { accounts: 'BankAccount' }],
  invoices: ['list show', { subscription: 'Subscription' }],
  languages: ['list create show', {}],
  locations: ['list create show edit', {}],
  meetings: ['list create show edit', { employee: 'Employee' }],
  organizations: [
    'list create show edit',
    {
      organizationUsers: 'OrganizationUser',
      organizationUserInvitations: 'OrganizationUserInvitation',
      organizationModules: 'OrganizationModule',
      subscriptions: 'Subscription',
      organizationConfigs: 'OrganizationConfig',
      organizationAddresses: 'OrganizationAddress',
      currentSubscription: 'Subscription',
    },
  ],
  'organization-addresses': ['list create show edit delete', { country: 'Country' }],
  'organization-configs': ['list show edit', {}],
  'organization-exports': ['list show', { requestedBy: 'User' }],
  'organization-modules': ['list show', {}],
  'organization-users': ['list show edit delete', { user: 'User' }],
  'organization-user-invitations': ['list create show delete', { invitedBy: 'User' }],
  'payment-methods': ['list create show delete', {}],
  subscriptions: [
    'list create show edit',
    { organization: 'Organization', organizationAddress: 'OrganizationAddress', paymentMethod: 'PaymentMethod' },
  ],
  users: ['list show', { defaultOrganization: 'Organization' }],
  'webhook-deliveries': ['list show', { endpoint: 'WebhookEndpoint', auditEvent: 'AuditEvent' }],
  'webhook-endpoints': ['list create show edit delete', { createdBy: 'User' }],
}

describe('@api-platform/api-doc-parser', () => {
  test('finds every collection without a warning', () => {
    expect(byHydra.resources?.map(({ name }) => name)).toEqual(Object.keys(expected))
    expect(logged).toEqual([])
  })

  test.each(Object.entries(expected))('reads the fields and operations of %s', (path, [operations, references]) => {
    const { url, title, ...resource } = resourceAt(path)
    const properties = propertiesOf(title as string)
    const names = (fields: Field[] | null | undefined) => fields?.map(({ name }) => name)
    expect(url).toBe(`${publicUrl}/${path}`)
    expect(resource.id).toBe(`${publicUrl}/docs.jsonld#${title}`)
    expect(resource.operations?.map(({ type }) => type).join(' ')).toBe(operations)
    expect(names(resource.fields)).toEqual(properties.map((property) => property.title))
    expect(names(resource.fields?.filter(({ required }) => required))).toEqual(
      properties.filter(({ required }) => required).map((property) => property.title),
    )
    expect(Object.fromEntries(referencesOf(path).map(({ name, reference }) => [name, titleOf(reference)]))).toEqual(
      references,
    )
    expect(resource.fields?.filter(({ embedded }) => embedded)).toEqual([])
  })

  test('distinguishes a reference from a list of references', () => {
    const organization = Object.fromEntries(referencesOf('organizations').map((field) => [field.name, field]))
    expect(organization.currentSubscription.maxCardinality).toBe(1)
    expect(organization.organizationUsers.maxCardinality).toBeNull()
  })

  test('recognizes date-times, numbers, booleans and email addresses', () => {
    expect(typeOf('meetings', 'dateFrom')).toBe('dateTime')
    expect(typeOf('locations', 'officeOpenHour')).toBe('integer')
    expect(typeOf('subscriptions', 'active')).toBe('boolean')
    expect(typeOf('subscriptions', 'modules')).toBe('array')
    expect(typeOf('employees', 'email')).toBe('email')
  })

  test('shows the image addresses of an organization as neither links nor inputs', () => {
    const { readableFields, writableFields } = resourceAt('organizations')
    for (const name of ['logo', 'icon']) {
      const found = readableFields?.find((field) => field.name === name)
      expect(found).toMatchObject({ name, reference: null, embedded: null, required: false })
      expect(writableFields).not.toContain(found)
    }
  })

  test.each([
    ['subscriptions', ['cancel', 'applyCoupon', 'clearCoupon']],
    [
      'organizations',
      ['clear', 'close', 'reopen', 'uploadIcon', 'uploadLogo', 'setupKontomatik', 'confirmSubscription'],
    ],
    ['integrations', ['pull', 'revoke']],
  ])('treats the actions of %s as neither readable nor writable fields', (path, actions) => {
    const { fields, readableFields, writableFields } = resourceAt(path)
    for (const action of actions) {
      const found = fields?.find(({ name }) => name === action)
      expect(found).toMatchObject({ name: action, reference: null, embedded: null, required: false })
      expect([...(readableFields ?? []), ...(writableFields ?? [])]).not.toContain(found)
    }
  })
})

describe('@api-platform/api-doc-parser, by OpenAPI', () => {
  let byOpenApi: Api

  beforeAll(async () => {
    ;({ api: byOpenApi } = await parseOpenApi3Documentation(`${publicUrl}/docs.jsonopenapi`))
  })

  test('finds every collection', () => {
    expect(byOpenApi.title).toBe('Organization API')
    expect(byOpenApi.resources?.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort())
  })

  test.each(Object.entries(expected))('reads the fields and operations of %s', (path, [operations]) => {
    const { url, fields, readableFields, writableFields, ...resource } = resourceAt(path, byOpenApi)
    const { properties } = schemas[resourceAt(path, byHydra).title as string]
    const patch = openapi.paths[`/${path}/{id}`].patch?.requestBody.content['application/json'].schema.properties ?? {}
    const names = (found: Field[] | null | undefined) => found?.map(({ name }) => name).sort()
    const writable = Object.keys(properties).filter((name) => name in patch || !properties[name].readOnly)
    expect(url).toBe(`${publicUrl}/${path}`)
    expect(resource.operations?.map(({ type }) => type).sort()).toEqual(operations.split(' ').sort())
    expect(names(fields)).toEqual(Object.keys(properties).sort())
    expect(names(readableFields)).toEqual(names(fields))
    expect(names(writableFields)).toEqual(writable.sort())
    expect(names(fields)).toEqual(expect.arrayContaining(names(resourceAt(path, byHydra).readableFields) ?? []))
  })

  test('recognizes types, formats, values and references of fields', () => {
    expect(typeOf('meetings', 'dateFrom', byOpenApi)).toBe('dateTime')
    expect(typeOf('subscriptions', 'active', byOpenApi)).toBe('boolean')
    expect(typeOf('employees', 'email', byOpenApi)).toBe('email')
    const fields = (path: string) =>
      Object.fromEntries(resourceAt(path, byOpenApi).fields?.map((field) => [field.name, field]) ?? [])
    expect(fields('subscriptions').type.enum).toEqual({ Monthly: 'monthly', Yearly: 'yearly' })
    expect(fields('meetings').employee.reference).toBe(resourceAt('employees', byOpenApi))
    expect(fields('locations').name).toMatchObject({ required: true, nullable: false })
  })

  test('recognizes the filters of a collection', () => {
    const parameters = resourceAt('meetings', byOpenApi).parameters?.map(({ variable, range }) => [variable, range])
    expect(parameters).toEqual(
      expect.arrayContaining([
        ...[
          ['employee', 'string'],
          ['employee[]', 'array'],
          ['dateFrom[after]', 'string'],
          ['exists[employee]', 'boolean'],
        ],
        ...[
          ['page', 'integer'],
          ['properties[]', 'array'],
        ],
      ]),
    )
  })
})

function resourceAt(path: string, api = byHydra) {
  const resource = api.resources?.find(({ name }) => name === path)
  if (!resource) throw new Error(`There is no resource ${path}.`)
  return resource
}

function referencesOf(path: string): Field[] {
  return resourceAt(path).fields?.filter(({ reference }) => reference) ?? []
}

function titleOf(reference: Field['reference']): string | null | undefined {
  return typeof reference === 'object' ? reference?.title : reference
}

function typeOf(path: string, name: string, api = byHydra): string | null | undefined {
  return resourceAt(path, api).fields?.find((field) => field.name === name)?.type
}
