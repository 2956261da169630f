import type { DataSource } from 'typeorm'
import { nameCollation } from '../entities/collation.ts'
import * as entities from '../entities/index.ts'
import { canonicalLanguage } from '../entities/language.ts'
import { PaymentMethodSetup } from '../entities/payment-method-setup.ts'
import type { Callers } from './access/callers.ts'
import {
  adminOrOwner,
  anyMember,
  anyone,
  guestOrMember,
  may,
  operatorOnly,
  ownerOnly,
  roles,
  signedIn,
  tenantRoles,
} from './access/roles.ts'
import type { Banking } from './banking/banking.ts'
import type { Billing } from './billing/billing.ts'
import { liveSubscriptionExists } from './billing/subscription-rules.ts'
import type { Config } from './config.ts'
import * as apiKeys from './controllers/api-keys.ts'
import * as countries from './controllers/countries.ts'
import * as employees from './controllers/employees.ts'
import { pull, revoke, setup } from './controllers/integrations.ts'
import * as invoices from './controllers/invoices.ts'
import * as locations from './controllers/locations.ts'
import * as mailFooter from './controllers/mail-footer.ts'
import * as meetings from './controllers/meetings.ts'
import * as addresses from './controllers/organization-addresses.ts'
import * as configs from './controllers/organization-configs.ts'
import * as invitations from './controllers/organization-user-invitations.ts'
import * as organizationUsers from './controllers/organization-users.ts'
import { clear } from './controllers/organizations/clear.ts'
import * as closing from './controllers/organizations/close.ts'
import { exportData } from './controllers/organizations/export.ts'
import * as images from './controllers/organizations/images.ts'
import * as organizations from './controllers/organizations/organizations.ts'
import * as paymentMethods from './controllers/payment-methods.ts'
import * as coupons from './controllers/subscriptions/coupons.ts'
import * as subscribing from './controllers/subscriptions/create-subscription.ts'
import * as subscriptions from './controllers/subscriptions/subscriptions.ts'
import * as users from './controllers/users.ts'
import * as webhookDeliveries from './controllers/webhook-deliveries.ts'
import * as webhookEndpoints from './controllers/webhook-endpoints.ts'
import { exampleId } from './demo/example-id.ts'
import type { ExportSource } from './exports/export-job.ts'
import {
  Api,
  type ConflictMessage,
  createOperation,
  listOperation,
  memoryStore,
  Resource,
  readOperation,
} from './hydra/index.ts'
import * as filters from './resources/filters.ts'
import * as visibility from './resources/visibility.ts'
import type { WebhookSettings } from './webhooks/settings.ts'

const list = listOperation()
const read = readOperation()

interface TableSettings {
  /** How many organizations one user may own. */
  maxOwned: number
  /** Days from the closing of an organization to its deletion. */
  graceDays: number
  /** Whether mails can link to pages of this server. */
  hasPages: boolean
  webhooks: WebhookSettings
}

/**
 * The whole API as a table. Each row has a class, a path, operations with the roles that may run them, and options: filters, row
 * scopes and hidden properties.
 */
export const api = (
  callers: Callers,
  billing: Billing,
  banking: Banking,
  { maxOwned, graceDays, hasPages = false, webhooks = { keys: [], allowedHosts: [] } }: Partial<TableSettings> = {},
) =>
  [
    new Resource(
      entities.Organization,
      '/organizations',
      [
        signedIn(list),
        guestOrMember(organizations.create(callers, maxOwned)),
        signedIn(read),
        may('admin', 'owner', 'operator')(organizations.update(callers, billing)),
        ownerOnly(clear),
        ownerOnly(closing.close(callers, graceDays), { evenWhileSuspended: true, peopleOnly: true }),
        ownerOnly(closing.reopen(callers, maxOwned), { evenWhileSuspended: true, peopleOnly: true }),
        ownerOnly(exportData, { evenWhileSuspended: true, peopleOnly: true }),
        adminOrOwner(images.upload('icon')),
        adminOrOwner(images.upload('logo')),
        adminOrOwner(images.remove('icon')),
        adminOrOwner(images.remove('logo')),
      ],
      { ...visibility.organization, ...filters.organizations },
    ),

    new Resource(
      entities.OrganizationExport,
      '/organization-exports',
      [ownerOnly(list), ownerOnly(read)],
      visibility.sensitive,
    ),

    new Resource(
      entities.MailFooter,
      '/organizations/mail-footer',
      [anyMember(mailFooter.show), adminOrOwner(mailFooter.update)],
      visibility.mailFooter,
    ),

    new Resource(
      entities.Location,
      '/locations',
      [
        anyMember(locations.list),
        adminOrOwner(locations.create),
        anyMember(locations.read),
        adminOrOwner(locations.update),
      ],
      filters.locations,
    ),

    new Resource(entities.Country, '/countries', [anyone(countries.list), anyone(countries.read)], {
      store: countries.store,
      canonical: (id) => id.toUpperCase(),
      most: 300,
      public: true,
    }),

    new Resource(entities.Language, '/languages', [anyMember(list), adminOrOwner(createOperation()), anyMember(read)], {
      canonical: canonicalLanguage,
      isId: (id) => /^[a-z\d-]{1,64}$/i.test(id),
    }),

    new Resource(
      entities.Integration,
      '/integrations',
      [
        adminOrOwner(list),
        adminOrOwner(read),
        adminOrOwner(setup(banking), { peopleOnly: true }),
        adminOrOwner(pull(banking)),
        adminOrOwner(revoke(banking)),
      ],
      { ...visibility.sensitive, ...filters.integrations },
    ),

    new Resource(entities.BankAccount, '/bank-accounts', [anyMember(list), anyMember(read)], {
      ...visibility.bankAccount,
      ...visibility.sensitive,
      ...filters.bankAccounts,
    }),

    new Resource(entities.BankTransaction, '/bank-transactions', [anyMember(list), anyMember(read)], {
      ...visibility.bankTransaction,
      ...visibility.sensitive,
      ...filters.bankTransactions,
    }),

    new Resource(
      entities.Meeting,
      '/meetings',
      [anyMember(list), anyMember(meetings.create), anyMember(read), anyMember(meetings.update)],
      {
        ...visibility.meeting,
        ...filters.meetings,
      },
    ),

    new Resource(
      entities.Subscription,
      '/subscriptions',
      [
        adminOrOwner(list),
        adminOrOwner(subscribing.create(billing)),
        adminOrOwner(subscriptions.read(billing)),
        adminOrOwner(subscriptions.update(billing)),
        adminOrOwner(subscriptions.cancel(billing), { evenWhileSuspended: true }),
        adminOrOwner(subscriptions.invoices),
        adminOrOwner(coupons.applyCoupon(billing)),
        adminOrOwner(coupons.clearCoupon(billing)),
        operatorOnly(subscriptions.confirm),
      ],
      { ...visibility.subscription, ...visibility.sensitive, ...filters.subscriptions },
    ),

    new Resource(
      entities.Employee,
      '/employees',
      [
        anyMember(list),
        adminOrOwner(employees.create),
        anyMember(read),
        adminOrOwner(employees.update),
        adminOrOwner(employees.erase),
      ],
      filters.employees,
    ),

    new Resource(
      entities.User,
      '/users',
      [
        anyMember(list),
        signedIn(users.me, { peopleOnly: true }),
        guestOrMember(users.update(callers)),
        guestOrMember(users.erase(callers)),
        anyMember(read),
      ],
      {
        ...visibility.user,
        ...visibility.sensitive,
        ...filters.users,
      },
    ),

    new Resource(
      entities.OrganizationUser,
      '/organization-users',
      [
        anyMember(list),
        anyMember(read),
        adminOrOwner(organizationUsers.update(callers), { peopleOnly: true }),
        anyMember(organizationUsers.remove(callers), { evenWhileSuspended: true, peopleOnly: true }),
      ],
      { ...visibility.organizationUser, ...filters.organizationUsers },
    ),

    new Resource(
      entities.OrganizationUserInvitation,
      '/organization-user-invitations',
      [
        adminOrOwner(list),
        adminOrOwner(invitations.create(hasPages), { peopleOnly: true }),
        adminOrOwner(read),
        adminOrOwner(invitations.revoke, { peopleOnly: true }),
        adminOrOwner(invitations.resend(hasPages), { peopleOnly: true }),
        guestOrMember(invitations.accept(callers)),
      ],
      { ...visibility.invitation, ...visibility.sensitive, ...filters.invitations },
    ),

    new Resource(
      entities.ApiKey,
      '/api-keys',
      [
        adminOrOwner(list),
        adminOrOwner(apiKeys.create, { peopleOnly: true }),
        adminOrOwner(read),
        adminOrOwner(apiKeys.update, { peopleOnly: true }),
        adminOrOwner(apiKeys.revoke(callers), { evenWhileSuspended: true, peopleOnly: true }),
      ],
      { ...visibility.sensitive, ...filters.apiKeys },
    ),

    new Resource(
      entities.WebhookEndpoint,
      '/webhook-endpoints',
      [
        adminOrOwner(list, { peopleOnly: true }),
        adminOrOwner(webhookEndpoints.create(webhooks), { peopleOnly: true }),
        adminOrOwner(read, { peopleOnly: true }),
        adminOrOwner(webhookEndpoints.update(webhooks), { peopleOnly: true }),
        adminOrOwner(webhookEndpoints.remove, { evenWhileSuspended: true, peopleOnly: true }),
        adminOrOwner(webhookEndpoints.renewSecret(webhooks), { peopleOnly: true }),
      ],
      { ...visibility.webhookEndpoint, ...visibility.sensitive, ...filters.webhookEndpoints },
    ),

    new Resource(
      entities.WebhookDelivery,
      '/webhook-deliveries',
      [
        adminOrOwner(list, { peopleOnly: true }),
        adminOrOwner(webhookDeliveries.test, { peopleOnly: true }),
        adminOrOwner(read, { peopleOnly: true }),
        adminOrOwner(webhookDeliveries.resend, { peopleOnly: true }),
      ],
      { ...visibility.webhookDelivery, ...visibility.sensitive, ...filters.webhookDeliveries },
    ),

    new Resource(
      entities.OrganizationAddress,
      '/organization-addresses',
      [
        anyMember(list),
        adminOrOwner(addresses.create),
        anyMember(read),
        adminOrOwner(addresses.update),
        adminOrOwner(addresses.remove),
      ],
      filters.addresses,
    ),

    new Resource(
      entities.OrganizationModule,
      '/organization-modules',
      [anyMember(list), anyMember(read)],
      filters.modules,
    ),

    new Resource(
      entities.OrganizationConfig,
      '/organization-configs',
      [anyMember(list), anyMember(read), adminOrOwner(configs.update)],
      filters.configs,
    ),

    new Resource(
      PaymentMethodSetup,
      '/payment-methods/setup',
      [adminOrOwner(paymentMethods.setup(billing), { evenWhileSuspended: true })],
      {
        singleton: true,
        store: memoryStore([]),
        ...visibility.sensitive,
      },
    ),

    new Resource(
      entities.PaymentMethod,
      '/payment-methods',
      [
        adminOrOwner(list),
        adminOrOwner(paymentMethods.create(billing), { evenWhileSuspended: true }),
        adminOrOwner(read),
        adminOrOwner(paymentMethods.remove(billing)),
      ],
      { ...visibility.sensitive, ...filters.paymentMethods },
    ),

    new Resource(
      entities.Invoice,
      '/invoices',
      [
        adminOrOwner(list),
        adminOrOwner(invoices.read(billing)),
        adminOrOwner(invoices.pay(billing), { evenWhileSuspended: true }),
      ],
      {
        ...visibility.sensitive,
        ...filters.invoices,
      },
    ),

    new Resource(entities.AuditEvent, '/audit-events', [ownerOnly(list), ownerOnly(read)], {
      ...visibility.auditEvent,
      ...visibility.sensitive,
      ...filters.auditEvents,
    }),
  ] as Resource[]

/** The 409 messages of database constraints about state; a constraint about a value is a violation of a property instead. */
const conflicts: Record<string, ConflictMessage> = {
  'subscription:live': liveSubscriptionExists,
  'meeting:overlap': meetings.overlapConflict,
}

/** The engine's options for this application. */
export const apiOptions = {
  info: {
    title: 'Organization API',
    description: 'Organizations of service companies: their configuration, people, meetings and billing.',
    license: 'MIT',
  },
  exampleId,
  contexts: new URL('../contexts/', import.meta.url),
  languages: ['en', 'nl'],
  roles: { all: roles, tenant: tenantRoles, anonymous: 'anonymous', guest: 'guest', everyTenant: 'operator' },
  tenancy: { column: 'organizationId', name: 'organization', claim: 'organization' },
  conflicts,
  collation: nameCollation,
}

/**
 * The data of exports: all that an owner of an organization sees, without links to operations. The operations of this API never
 * run, so it needs no callers.
 */
export const exportSource =
  (
    { billing, banking }: { billing: Billing; banking: Banking },
    { publicUrl, hydraPrefix, explorer = true }: ExportConfig,
  ) =>
  (database: DataSource): ExportSource => {
    const options = { ...apiOptions, publicUrl, prefix: hydraPrefix }
    const whole = new Api(api({} as Callers, billing, banking), database, options)
    const owner = { role: 'owner', user: null, readOnlyReason: 'An archive is only read.' }
    return {
      publicUrl,
      hasPages: explorer,
      collections: (tenant) => whole.wholeCollections({ ...owner, tenant }),
    }
  }

type ExportConfig = Pick<Config, 'publicUrl' | 'hydraPrefix'> & Partial<Pick<Config, 'explorer'>>
