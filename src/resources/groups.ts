import type { ReferenceGroup } from '../explorer/reference/groups.ts'

/** The chapters of the reference for people, in its order. */
export const groups: ReferenceGroup[] = [
  {
    title: { en: 'Organization & configuration', nl: 'Organisatie & configuratie' },
    about: {
      en: 'Organization, locations, integrations and subscription — configure your workspace.',
      nl: 'Organisatie, locaties, integraties en abonnement — configureer uw werkruimte.',
    },
    classes: ['Organization', 'Location', 'Country', 'Language', 'Integration', 'Meeting', 'Subscription'],
  },
  {
    title: { en: 'People', nl: 'Mensen' },
    about: {
      en: 'Employees, members, invitations and API keys — who works here, and who has access.',
      nl: 'Medewerkers, leden, uitnodigingen en API-sleutels — wie er werkt, en wie toegang heeft.',
    },
    classes: ['Employee', 'User', 'OrganizationUser', 'OrganizationUserInvitation', 'ApiKey'],
  },
  {
    title: { en: 'Banking', nl: 'Bankieren' },
    about: {
      en: 'Accounts and transactions that the integrations import.',
      nl: 'Rekeningen en transacties die de integraties importeren.',
    },
    classes: ['BankAccount', 'BankTransaction'],
  },
  {
    title: { en: 'Billing', nl: 'Facturatie' },
    about: {
      en: 'Invoices, and the payment methods that pay them.',
      nl: 'Facturen, en de betaalmethoden waarmee ze worden betaald.',
    },
    classes: ['Invoice', 'PaymentMethod', 'PaymentMethodSetup'],
  },
  {
    title: { en: 'Settings & control', nl: 'Instellingen & controle' },
    about: {
      en: 'Settings, modules and addresses of the organization, the record of who changed what, and webhooks that send it.',
      nl: 'Instellingen, modules en adressen van de organisatie, de vastlegging van wie wat heeft gewijzigd, en webhooks die deze versturen.',
    },
    classes: [
      'OrganizationConfig',
      'OrganizationModule',
      'OrganizationAddress',
      'MailFooter',
      'AuditEvent',
      'WebhookEndpoint',
      'OrganizationExport',
      'WebhookDelivery',
    ],
  },
]
