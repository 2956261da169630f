import { type Api, type Field, parseHydraDocumentation } from '@api-platform/api-doc-parser'
import { propertiesOf } from './world/docs.ts'
import { publicUrl, tenant, tokenOf } from './world/index.ts'

const logged: unknown[] = []
let api: Api

beforeAll(async () => {
  const { error } = console
  console.error = (...message) => logged.push(message)
  const headers = { Authorization: `Bearer ${await tokenOf(tenant.users.owner)}` }
  ;({ api } = await parseHydraDocumentation(publicUrl, { headers }))
  console.error = error
})

/** What each collection can be asked, and where its references lead. */
const expected: Record<string, [operations: string, references: Record<string, string>]> = {
  'audit-events': ['list show', { actor: 'User' }],
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
  'organization-modules': ['list show', {}],
  'organization-users': ['list show edit delete', { user: 'User' }],
  'organization-user-invitations': ['list create show delete', { invitedBy: 'User' }],
  'payment-methods': ['list create show delete', {}],
  subscriptions: [
    'list create show edit',
    { organization: 'Organization', organizationAddress: 'OrganizationAddress', paymentMethod: 'PaymentMethod' },
  ],
  users: ['list show', {}],
}

describe('@api-platform/api-doc-parser', () => {
  test('finds every collection, and nothing to complain of', () => {
    expect(api.resources?.map(({ name }) => name)).toEqual(Object.keys(expected))
    expect(logged).toEqual([])
  })

  test.each(Object.entries(expected))('reads what %s are and can be asked', (path, [operations, references]) => {
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

  test('knows a reference from a list of them', () => {
    const organization = Object.fromEntries(referencesOf('organizations').map((field) => [field.name, field]))
    expect(organization.currentSubscription.maxCardinality).toBe(1)
    expect(organization.organizationUsers.maxCardinality).toBeNull()
  })

  test('knows an instant, a number, a truth and an address for mail', () => {
    expect(typeOf('meetings', 'dateFrom')).toBe('dateTime')
    expect(typeOf('locations', 'officeOpenHour')).toBe('integer')
    expect(typeOf('subscriptions', 'active')).toBe('boolean')
    expect(typeOf('subscriptions', 'modules')).toBe('array')
    expect(typeOf('employees', 'email')).toBe('email')
  })

  test('shows the images of an organization by their addresses, as nothing to follow or to fill in', () => {
    const { readableFields, writableFields } = resourceAt('organizations')
    for (const name of ['logo', 'icon']) {
      const found = readableFields?.find((field) => field.name === name)
      expect(found).toMatchObject({ name, reference: null, embedded: null, required: false })
      expect(writableFields).not.toContain(found)
    }
  })

  test.each([
    ['subscriptions', ['cancel', 'applyCoupon', 'clearCoupon']],
    ['organizations', ['clear', 'uploadIcon', 'uploadLogo', 'setupKontomatik', 'confirmSubscription']],
    ['integrations', ['pull', 'revoke']],
  ])('takes what can be done with %s for no field to show or fill in', (path, actions) => {
    const { fields, readableFields, writableFields } = resourceAt(path)
    for (const action of actions) {
      const found = fields?.find(({ name }) => name === action)
      expect(found).toMatchObject({ name: action, reference: null, embedded: null, required: false })
      expect([...(readableFields ?? []), ...(writableFields ?? [])]).not.toContain(found)
    }
  })
})

function resourceAt(path: string) {
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

function typeOf(path: string, name: string): string | null | undefined {
  return resourceAt(path).fields?.find((field) => field.name === name)?.type
}
