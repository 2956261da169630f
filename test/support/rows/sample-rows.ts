import { randomBytes } from 'node:crypto'
import {
  ApiKey,
  AuditEvent,
  BankAccount,
  BankTransaction,
  Employee,
  Integration,
  Invoice,
  Language,
  Location,
  Meeting,
  OrganizationAddress,
  OrganizationConfig,
  OrganizationExport,
  OrganizationModule,
  OrganizationUser,
  OrganizationUserInvitation,
  PaymentMethod,
  Subscription,
  WebhookDelivery,
  WebhookEndpoint,
} from '../../../entities/index.ts'
import { morning, openWorld, type Tenant } from '../world.ts'

const { database, given } = await openWorld()

/** Gives a tenant a row of every class, and tells them by the names of their classes. */
export async function rowsOf({ organization, users }: Tenant): Promise<Record<string, { id: string }>> {
  const own = { organizationId: organization.id }
  const { slug } = organization
  const street = { name: 'Head office', street: 'Damrak', city: 'Amsterdam', countryId: 'NL' }
  const location = await given(Location, { ...own, name: 'Amsterdam' })
  const employee = await given(Employee, { ...own, name: 'Mia', location, user: users.member })
  const address = await given(OrganizationAddress, { ...own, ...street, kind: 'billing' })
  const paymentMethod = await given(PaymentMethod, { ...own, type: 'card', externalId: `pm_${slug}` })
  const subscription = await given(Subscription, { ...own, organizationAddress: address, paymentMethod, seats: 5 })
  const bill = { externalId: `in_${slug}`, status: 'paid', currency: 'EUR', total: 5000, amountDue: 0 }
  const integration = await given(Integration, { ...own, status: 'active' })
  const account = await given(BankAccount, {
    ...own,
    integration,
    reference: 'x',
    name: 'Current',
    iban: 'PL61109010140000',
  })
  await database.manager.update(OrganizationModule, { ...own, name: 'banking' }, { enabled: true, source: 'operator' })
  const endpoint = await givenEndpoint({ ...own, createdBy: users.owner })
  const first = { where: own, order: { id: 'ASC' } } as const
  return {
    Organization: organization,
    User: users.member,
    Location: location,
    Employee: employee,
    OrganizationAddress: address,
    PaymentMethod: paymentMethod,
    Subscription: subscription,
    Invoice: await given(Invoice, { ...own, ...bill, subscription }),
    Meeting: await given(Meeting, { ...own, ...morning, employee }),
    Language: await given(Language, { ...own, id: slug === 'acme' ? 'fr' : 'pl' }),
    Integration: integration,
    BankAccount: account,
    BankTransaction: await given(BankTransaction, { ...own, account, transactionOn: '2026-02-27', amount: '-12.50' }),
    AuditEvent: await given(AuditEvent, { ...own, actor: users.owner, action: 'test', target: '/' }),
    ApiKey: await givenKey({ ...own, createdBy: users.owner }),
    WebhookEndpoint: endpoint,
    WebhookDelivery: await given(WebhookDelivery, { ...own, endpoint, event: 'invoice.pay', nextAttemptAt: null }),
    OrganizationExport: await given(OrganizationExport, { ...own, requestedBy: users.owner, status: 'failed' }),
    OrganizationUserInvitation: await givenInvitation({ ...own, invitedBy: users.owner }),
    OrganizationUser: await database.manager.findOneOrFail(OrganizationUser, first),
    OrganizationModule: await database.manager.findOneOrFail(OrganizationModule, first),
    OrganizationConfig: await database.manager.findOneOrFail(OrganizationConfig, first),
  }
}

/** A key with an unknown secret; `createdBy` must be named. */
export function givenKey(values: Partial<ApiKey>): Promise<ApiKey> {
  const unknown = { hash: randomBytes(32), hint: 'orgkey_…x7Qz', expiresAt: new Date(Date.now() + week) }
  return given(ApiKey, { name: 'Nightly report', ...unknown, ...values })
}

/** An endpoint whose secret no key opens; `createdBy` must be named. */
export function givenEndpoint(values: Partial<WebhookEndpoint>): Promise<WebhookEndpoint> {
  return given(WebhookEndpoint, {
    name: 'Bookkeeping',
    url: 'https://hooks.example.com/events',
    sealedSecret: 'sealed',
    ...values,
  })
}

const week = 7 * 24 * 60 * 60 * 1000

/** An invitation that is good for another week; `invitedBy` must be named. */
export function givenInvitation(values: Partial<OrganizationUserInvitation>): Promise<OrganizationUserInvitation> {
  const email = `${Math.random().toString(36).slice(2)}@example.com`
  const tokenHash = Buffer.from(`hash of the token for ${email}`)
  return given(OrganizationUserInvitation, { email, tokenHash, expiresAt: new Date(Date.now() + week), ...values })
}
