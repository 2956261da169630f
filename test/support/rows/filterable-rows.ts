import {
  AuditEvent,
  BankAccount,
  BankTransaction,
  Employee,
  Integration,
  Invoice,
  Location,
  Meeting,
  Organization,
  OrganizationAddress,
  OrganizationExport,
  OrganizationModule,
  OrganizationUser,
  PaymentMethod,
  Subscription,
  User,
  WebhookDelivery,
} from '../../../entities/index.ts'
import { insertRow } from '../../../src/hydra/index.ts'
import { openWorld } from '../world.ts'
import { givenEndpoint, givenInvitation, givenKey } from './sample-rows.ts'

const { database, given, organization, person, tenant } = await openWorld()

const day = (n: number) => new Date(Date.UTC(2026, 3, n, 8, 0, 0, n))
const among = <T>(n: number, ...values: T[]) => values[n % values.length]

/** Four rows or more of every class that can be filtered, alike in some properties and not in others. */
export async function givenVariety(): Promise<void> {
  const own = { organizationId: organization.id }
  const people = Object.values(tenant.users)
  for (const n of [0, 1, 2, 3]) {
    const hours = n > 1 ? { officeOpenHour: 6 + n, officeCloseHour: 15 + n } : {}
    const location = await given(Location, { name: `Office ${among(n, 'Amsterdam', 'Łódź')} ${n}`, ...hours })
    const employee = await given(Employee, {
      name: `${among(n, 'Ada', 'Bram')} ${n}`,
      email: n > 0 ? `worker${n}@example.com` : null,
      jobTitle: among(n, 'Monteur', 'Kantoor', null),
      active: n !== 2,
      user: among(n, ...people),
      ...(n > 0 && { location }),
    })
    const agreed = n > 1 ? { time: day(n + 1), notes: among(n, 'Onderhoud CV-ketel', 'Winterbeurt') } : {}
    await given(Meeting, { dateFrom: day(n + 1), dateTo: day(n + 2), ...(n > 0 && { employee }), ...agreed })
    const integration = await given(Integration, {
      status: among(n, 'active', 'revoked'),
      provider: among(n, 'kontomatik', 'other', 'x'),
    })
    const account = await given(BankAccount, {
      integration,
      reference: `account ${n}`,
      name: `${among(n, 'Firma', 'Savings')} ${n}`,
      currency: among(n, 'PLN', 'EUR'),
    })
    await given(BankTransaction, {
      account,
      transactionOn: `2026-02-0${n + 1}`,
      bookedOn: n > 0 ? `2026-02-0${n + 2}` : null,
      amount: `${n % 2 ? '-' : ''}${n}.25`,
      currency: among(n, 'PLN', 'EUR'),
      kind: among(n, 'CARD', 'TRANSFER', null),
      status: among(n, 'DONE', 'PENDING'),
    })
    const address = await given(OrganizationAddress, {
      kind: among(n, 'billing', 'visiting', 'postal'),
      name: `Office ${n}`,
      street: 'Damrak',
      city: among(n, 'Amsterdam', 'Utrecht'),
      countryId: among(n, 'NL', 'BE', 'DE'),
    })
    const card = { type: among(n, 'card', 'sepa_debit'), brand: among(n, 'visa', null), preferred: n === 0 }
    await given(PaymentMethod, { ...card, externalId: `pm_${n}` })
    const subscription = await given(Subscription, {
      organizationAddress: address,
      seats: n + 1,
      type: among(n, 'monthly', 'yearly'),
      status: n === 0 ? 'active' : 'canceled',
      createdAt: day(n + 1),
    })
    await given(Invoice, {
      name: n > 0 ? `2026-${n}` : null,
      subscription,
      externalId: `in_${n}`,
      status: among(n, 'paid', 'open'),
      currency: 'EUR',
      total: 1000 * 10 ** (3 * n),
      amountDue: 0,
      createdAt: day(n + 1),
      ...(n > 0 && { issuedAt: day(n), dueAt: day(n + 7) }),
    })
    const apiKey = await givenKey({
      name: `${among(n, 'Report', 'Import')} ${n}`,
      role: among(n, 'member', 'admin'),
      createdBy: among(n, ...people),
      expiresAt: day(n + 1),
      lastUsedAt: n > 0 ? day(n) : null,
    })
    const endpoint = await givenEndpoint({
      name: `${among(n, 'Bookkeeping', 'CRM')} ${n}`,
      role: among(n, 'admin', 'owner'),
      enabled: n !== 2,
      createdBy: among(n, ...people),
      failingSince: n > 0 ? day(n) : null,
    })
    await given(WebhookDelivery, {
      endpoint,
      event: among(n, 'invoice.pay', 'subscription.update', 'test'),
      status: among(n, 'delivered', 'failed'),
      nextAttemptAt: null,
    })
    const actor = n > 0 ? among(n, ...people) : null
    await given(AuditEvent, {
      actor,
      ...(n === 0 && { apiKey }),
      action: `test.${n % 2}`,
      target: among(n, '/', location.name),
      at: day(n + 1),
    })
    await given(OrganizationExport, {
      requestedBy: among(n, ...people),
      status: among(n, 'failed', 'ready'),
      progress: 100,
      finishedAt: day(n + 1),
      expiresAt: day(n + 8),
    })
    await givenInvitation({ invitedBy: tenant.users.owner, role: among(n, 'member', 'admin'), expiresAt: day(n + 1) })
    const user = await person(`person ${n}`, { email: `person${n}@example.com` })
    await given(OrganizationUser, { name: user.name, user, status: n ? 'active' : 'suspended', joinedAt: day(n + 1) })
    await found(n)
  }
  await database.manager.update(OrganizationModule, { ...own, name: 'planning' }, { enabled: true })
  await database.manager.update(User, { id: tenant.users.owner.id }, { email: 'owner@example.com' })
}

/** Another organization of the owner's. */
async function found(n: number): Promise<void> {
  const another = Object.assign(new Organization(), {
    name: `Werkplaats ${n}`,
    slug: `werkplaats-${n}`,
    type: among(n, 'company', 'personal'),
    status: among(n, 'active', 'closed', 'suspended'),
    demo: n === 1,
    createdAt: day(n + 1),
  })
  await insertRow(database.manager, another)
  const owning = { role: 'owner', user: tenant.users.owner, name: 'owner' } as const
  await given(OrganizationUser, { ...owning, organizationId: another.id })
}
