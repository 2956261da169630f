import { nameCollation } from '../entities/collation.ts'
import * as entities from '../entities/index.ts'
import { canonicalLanguage } from '../entities/language.ts'
import { PaymentMethodSetup } from '../entities/payment-method-setup.ts'
import type { Callers } from './access/callers.ts'
import {
  admin,
  anyone,
  evenWhileSuspended,
  joining,
  operator,
  owner,
  roles,
  signedIn,
  tenantRoles,
} from './access/roles.ts'
import type { Banking } from './banking/banking.ts'
import type { Billing } from './billing/billing.ts'
import { liveSubscriptionExists } from './billing/subscription-rules.ts'
import { accept } from './controllers/accept-invitation.ts'
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
import * as branding from './controllers/organizations/images.ts'
import * as organizations from './controllers/organizations/organizations.ts'
import * as paymentMethods from './controllers/payment-methods.ts'
import * as coupons from './controllers/subscriptions/coupons.ts'
import * as subscribing from './controllers/subscriptions/create-subscription.ts'
import * as subscriptions from './controllers/subscriptions/subscriptions.ts'
import * as users from './controllers/users.ts'
import { exampleId } from './demo/example-id.ts'
import {
  type ConflictMessage,
  createOperation,
  listOperation,
  memoryStore,
  Resource,
  readOperation,
  updateOperation,
} from './hydra/index.ts'
import * as filters from './resources/filters.ts'
import * as scopes from './resources/visibility.ts'

const list = listOperation()
const read = readOperation()

/** The whole API: every resource, where it lives, what it can be asked and by whom; a tenant's members unless said otherwise. */
export const api = (callers: Callers, billing: Billing, banking: Banking, owned?: number) =>
  [
    new Resource(
      entities.Organization,
      '/organizations',
      [
        signedIn(list),
        joining(organizations.create(callers, owned)),
        signedIn(read),
        operator(admin(organizations.update(callers, billing))),
        owner(clear),
        admin(branding.upload('icon')),
        admin(branding.upload('logo')),
        admin(branding.remove('icon')),
        admin(branding.remove('logo')),
      ],
      { ...scopes.organization, ...filters.organizations },
    ),
    new Resource(
      entities.MailFooter,
      '/organizations/mail-footer',
      [mailFooter.show, admin(mailFooter.update)],
      scopes.mailFooter,
    ),
    new Resource(
      entities.Location,
      '/locations',
      [list, admin(createOperation()), read, admin(updateOperation())].map(locations.withHours),
      filters.locations,
    ),
    new Resource(entities.Country, '/countries', [anyone(countries.list), anyone(countries.read)], {
      store: countries.store,
      canonical: (id) => id.toUpperCase(),
      most: 300,
      public: true,
    }),
    new Resource(entities.Language, '/languages', [list, admin(createOperation()), read], {
      canonical: canonicalLanguage,
      isId: (id) => /^[a-z\d-]{1,64}$/i.test(id),
    }),
    new Resource(
      entities.Integration,
      '/integrations',
      [admin(list), admin(read), admin(setup(banking)), admin(pull(banking)), admin(revoke(banking))],
      { ...scopes.sensitive, ...filters.integrations },
    ),
    new Resource(entities.BankAccount, '/bank-accounts', [list, read], {
      ...scopes.bankAccount,
      ...scopes.sensitive,
      ...filters.bankAccounts,
    }),
    new Resource(entities.BankTransaction, '/bank-transactions', [list, read], {
      ...scopes.bankTransaction,
      ...scopes.sensitive,
      ...filters.bankTransactions,
    }),
    new Resource(entities.Meeting, '/meetings', [list, meetings.create, read, meetings.update], {
      ...scopes.meeting,
      ...filters.meetings,
    }),
    new Resource(
      entities.Subscription,
      '/subscriptions',
      [
        admin(list),
        admin(subscribing.create(billing)),
        admin(subscriptions.read(billing)),
        admin(subscriptions.update(billing)),
        evenWhileSuspended(admin(subscriptions.cancel(billing))),
        admin(subscriptions.invoices),
        admin(coupons.applyCoupon(billing)),
        admin(coupons.clearCoupon(billing)),
        operator(subscriptions.confirm),
      ],
      { ...scopes.subscription, ...scopes.sensitive, ...filters.subscriptions },
    ),
    new Resource(
      entities.Employee,
      '/employees',
      [list, admin(employees.create), read, admin(employees.update)],
      filters.employees,
    ),
    new Resource(entities.User, '/users', [list, signedIn(users.me), joining(users.update(callers)), read], {
      ...scopes.user,
      ...scopes.sensitive,
      ...filters.users,
    }),
    new Resource(
      entities.OrganizationUser,
      '/organization-users',
      [list, read, admin(organizationUsers.update(callers)), organizationUsers.remove(callers)],
      { ...scopes.organizationUser, ...filters.organizationUsers },
    ),
    new Resource(
      entities.OrganizationUserInvitation,
      '/organization-user-invitations',
      [
        admin(list),
        admin(invitations.create),
        admin(read),
        admin(invitations.revoke),
        admin(invitations.resend),
        joining(accept(callers)),
      ],
      { ...scopes.invitation, ...scopes.sensitive, ...filters.invitations },
    ),
    new Resource(
      entities.OrganizationAddress,
      '/organization-addresses',
      [list, admin(addresses.create), read, admin(addresses.update), admin(addresses.remove)],
      filters.addresses,
    ),
    new Resource(entities.OrganizationModule, '/organization-modules', [list, read], filters.modules),
    new Resource(
      entities.OrganizationConfig,
      '/organization-configs',
      [list, read, admin(configs.update)],
      filters.configs,
    ),
    new Resource(
      PaymentMethodSetup,
      '/payment-methods/setup',
      [evenWhileSuspended(admin(paymentMethods.setup(billing)))],
      {
        singleton: true,
        store: memoryStore([]),
        ...scopes.sensitive,
      },
    ),
    new Resource(
      entities.PaymentMethod,
      '/payment-methods',
      [
        admin(list),
        evenWhileSuspended(admin(paymentMethods.create(billing))),
        admin(read),
        admin(paymentMethods.remove(billing)),
      ],
      { ...scopes.sensitive, ...filters.paymentMethods },
    ),
    new Resource(
      entities.Invoice,
      '/invoices',
      [admin(list), admin(invoices.read(billing)), evenWhileSuspended(admin(invoices.pay(billing)))],
      {
        ...scopes.sensitive,
        ...filters.invoices,
      },
    ),
    new Resource(entities.AuditEvent, '/audit-events', [owner(list), owner(read)], {
      ...scopes.sensitive,
      ...filters.auditEvents,
    }),
  ] as Resource[]

/** What it means to break a rule of the database that is about the state of things, not about a value: 409 and this sentence. */
const conflicts: Record<string, ConflictMessage> = {
  'subscription:live': liveSubscriptionExists,
  'meeting:overlap': meetings.clash,
  'organization_config:meetingOverlap': configs.standing,
}

/** What the engine must know of this application. */
export const apiOptions = {
  info: {
    title: 'Organization API',
    description: 'Organizations of service companies: their configuration, people, meetings and billing.',
    license: 'MIT',
  },
  exampleId,
  contexts: new URL('../contexts/', import.meta.url),
  roles: { all: roles, tenant: tenantRoles, anonymous: 'anonymous', guest: 'guest' },
  tenancy: { column: 'organizationId', name: 'organization', claim: 'organization' },
  conflicts,
  collation: nameCollation,
}
