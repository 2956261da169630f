import { Identified } from '../../entities/identified.ts'
import {
  ApiKey,
  BankAccount,
  BankTransaction,
  Country,
  Integration,
  Invoice,
  Location,
  Organization,
  OrganizationExport,
  OrganizationUserInvitation,
  PaymentMethod,
  Subscription,
  WebhookDelivery,
  WebhookEndpoint,
} from '../../entities/index.ts'
import { PaymentMethodSetup } from '../../entities/payment-method-setup.ts'
import { weekdays } from '../../entities/settings.ts'
import { exampleEvent } from '../audit/example-event.ts'
import { type Write, writeHome } from './demo.ts'
import { exampleId } from './example-id.ts'

const start = new Date('2026-01-05T08:00:00Z')

/**
 * The entities of the demo organization, in memory: the documentation shows the first of each class as its example. The ids and
 * moments are the same in each process. Classes whose rows come from Stripe or from a bank have rows of their own here.
 */
export async function demoEntities(): Promise<object[]> {
  const entities: object[] = []
  const write: Write = async (entity, values) => {
    const number = entities.filter((other) => other.constructor === entity.constructor).length + 1
    if (entity instanceof Identified)
      Object.assign(entity, { id: idOf(number), createdAt: start, updatedAt: start, version: 1 })
    Object.assign(entity, values)
    entities.push(entity)
    return entity
  }
  await writeHome(write, 'https://issuer.example', { manualBilling: false })
  await writeBanking(write)
  await writeBilling(write)
  await write(new OrganizationUserInvitation(), {
    ...own,
    email: 'sanne@demo.example',
    name: 'Sanne Visser',
    invitedById: exampleId,
    expiresAt: new Date('2100-01-01T00:00:00Z'),
  })
  await write(new ApiKey(), {
    ...own,
    name: 'Nightly report',
    createdById: exampleId,
    hint: 'orgkey_…x7Qz',
    lastUsedAt: start,
    expiresAt: new Date('2100-01-01T00:00:00Z'),
  })
  await write(new WebhookEndpoint(), {
    ...own,
    url: 'https://hooks.example.com/organization',
    name: 'Bookkeeping',
    events: ['invoice.pay', 'subscription.update'],
    createdById: exampleId,
    lastDeliveredAt: start,
  })
  await write(new OrganizationExport(), {
    ...own,
    status: 'ready',
    progress: 100,
    size: 48_213,
    requestedById: exampleId,
    finishedAt: start,
    expiresAt: new Date('2100-01-01T00:00:00Z'),
  })
  await write(new WebhookDelivery(), {
    ...own,
    endpointId: exampleId,
    auditEventId: exampleId,
    event: 'subscription.update',
    status: 'delivered',
    attempts: 1,
    nextAttemptAt: null,
    lastAttemptAt: start,
    responseStatus: 204,
    responseBody: '',
    duration: 120,
  })
  await write(exampleEvent(), {
    ...own,
    actorId: exampleId,
    action: 'subscription.update',
    target: `/subscriptions/${exampleId}`,
    at: start,
    changes: { seats: [7, 8] },
  })
  await write(new Country(), { id: 'NL' })
  for (const entity of entities) {
    if (entity instanceof Location)
      entity.findOpening({ timezone: 'Europe/Amsterdam', workingDays: weekdays.slice(0, 5) }, start)
    if (entity instanceof Organization) entity.currentSubscriptionId = exampleId
  }
  return entities
}

const own = { organizationId: exampleId }

async function writeBanking(write: Write): Promise<void> {
  await write(new Integration(), {
    ...own,
    status: 'active',
    target: 'NL_ING',
    officialName: 'ING',
    consentExpiresAt: new Date('2026-04-05T08:00:00Z'),
    lastPulledAt: start,
    imported: 42,
    duplicates: 3,
    skipped: 0,
    partial: false,
    importedSince: '2025-12-29',
  })
  await write(new BankAccount(), {
    ...own,
    integrationId: exampleId,
    name: 'Zakelijke rekening',
    iban: 'NL69INGB0123456789',
    currency: 'EUR',
    balance: '1250.00',
    availableBalance: '1250.00',
  })
  await write(new BankTransaction(), {
    ...own,
    accountId: exampleId,
    bookedOn: '2026-01-05',
    transactionOn: '2026-01-05',
    amount: '-89.95',
    currency: 'EUR',
    party: 'Groothandel De Boer',
    partyIban: 'NL02ABNA0123456789',
    text: 'Factuur 2026-001',
    kind: 'SEPA',
    status: 'DONE',
  })
}

/** Stripe's ids and secrets are placeholders in Stripe's form. */
async function writeBilling(write: Write): Promise<void> {
  await write(new PaymentMethod(), {
    ...own,
    type: 'card',
    brand: 'visa',
    last4: '4242',
    expiryMonth: 12,
    expiryYear: 2030,
    externalId: 'pm_example',
    preferred: true,
  })
  await write(new Invoice(), {
    ...own,
    name: 'VDI-0001',
    subscriptionId: exampleId,
    status: 'paid',
    currency: 'EUR',
    total: 9680,
    amountDue: 9680,
    issuedAt: start,
    dueAt: new Date('2026-01-19T08:00:00Z'),
    paidAt: start,
    pdf: 'https://pay.stripe.com/invoice/example/pdf',
  })
  await write(new PaymentMethodSetup('seti_example_secret_example', 'pk_test_example'), {})
  await write(new Subscription(), {
    ...own,
    seats: 8,
    modules: ['planning', 'banking'],
    organizationAddressId: exampleId,
    paymentMethodId: exampleId,
    externalId: 'sub_example',
    status: 'active',
  })
}

/** The id of a row in the demo by its number within its class; that of the first is `exampleId`. */
function idOf(number: number): string {
  return exampleId.slice(0, -4) + number.toString(16).padStart(4, '0')
}
