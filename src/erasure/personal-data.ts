/** The effect of an erasure on the columns of a table that hold text, JSON or bytes. Names are separated by spaces. */
export interface Treatment {
  /** Names, codes, digests and ids, which say nothing about a person. */
  none?: string
  /** Erased with a user. */
  user?: string
  /** Erased with an employee. */
  employee?: string
  /** Data about persons, or free text that may have some, by the reason why it stays. */
  kept?: Partial<Record<Reason, string>>
}

/** The reasons why data about persons stays. */
const reasons = {
  records: 'The organization must keep its own records: for the tax office, or as proof of an agreement.',
  ownText: 'It describes the organization itself, which changes it where it names a person.',
  expires: 'A job deletes it within 30 days.',
  encrypted: 'It is the encrypted consent of a bank to the organization, and is never shown.',
} as const

type Reason = keyof typeof reasons

/**
 * Each column of each table. A test fails where one is missing, so a new column cannot be forgotten. Another test erases a person whose
 * name is everywhere, and looks for it in all columns.
 */
export const personalData: Record<string, Treatment> = {
  api_key: { none: 'role hint hash', kept: { ownText: 'name' } },
  // The events of employees and invitations lose the values of their erased columns.
  audit_event: { none: 'action target', user: 'changes', employee: 'changes', kept: { records: 'changes' } },
  bank_account: { none: 'currency', kept: { records: 'reference name iban bankName' } },
  bank_import: { none: 'account' },
  bank_transaction: { none: 'currency kind status', kept: { records: 'party partyIban text searchText' } },
  change: { none: 'relation id type' },
  country: { none: 'id' },
  employee: { employee: 'name email phone jobTitle searchText' },
  idempotency_key: { none: 'caller key fingerprint', kept: { expires: 'answer' } },
  image: { none: 'id type', kept: { ownText: 'bytes' } },
  integration: {
    none: 'provider status target officialName redirectionId redirectUrl accessMode asked commandId lastErrorCode',
    kept: { encrypted: 'sealedAccess sealedSession' },
  },
  invoice: { none: 'externalId status currency pdf hostedInvoiceUrl', kept: { records: 'name' } },
  job_crash: { none: 'task key payload' },
  language: { none: 'id' },
  location: { kept: { ownText: 'name searchText' } },
  mail_footer: { kept: { ownText: 'mailFooter' } },
  // Of the meetings of an employee. A name in the notes of other meetings is found by a search.
  meeting: { employee: 'notes searchText' },
  migrations: { none: 'name' },
  organization: { none: 'type status stripeCustomerId databaseStatus logoId iconId', kept: { ownText: 'name slug' } },
  organization_address: {
    none: 'kind countryId',
    kept: { records: 'name street houseNumber postalCode city vatNumber' },
  },
  organization_config: { none: 'key', kept: { ownText: 'value' } },
  organization_export: { none: 'status' },
  organization_export_part: { kept: { expires: 'bytes' } },
  organization_module: { none: 'name source' },
  organization_user: { none: 'role status', user: 'name' },
  organization_user_invitation: { none: 'role tokenHash', user: 'email name', employee: 'email name' },
  outgoing_mail: {
    none: 'status about',
    user: 'recipient subject html text attachments error',
    employee: 'recipient subject html text attachments error',
  },
  payment_method: { none: 'type externalId', kept: { records: 'brand last4' } },
  row_total: { none: 'relation' },
  session: { none: 'issuer', user: 'subject hash sealedTokens browser' },
  stripe_event: { none: 'id type customerId objectId status', kept: { expires: 'payload error' } },
  subscription: {
    none: 'type modules status externalId otherProducts paused',
    kept: { records: 'billedTo metadata coupon' },
  },
  user: { user: 'issuer subject name email locale' },
  webhook_delivery: { none: 'event status error', user: 'responseBody', employee: 'responseBody' },
  webhook_endpoint: {
    none: 'events role disabledReason sealedSecret sealedFormerSecret',
    kept: { ownText: 'url name' },
  },
}

/** The columns of a table that an erasure empties. */
export function erasedColumns(table: string, whom: 'user' | 'employee'): string[] {
  return personalData[table][whom]?.split(' ') ?? []
}
