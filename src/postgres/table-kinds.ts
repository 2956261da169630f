/**
 * How a distributed database (Citus) stores each table. Each list is in the order of foreign keys: a table stands after the
 * tables that it refers to.
 */
export const tableKinds = {
  /** Small, read with rows of every tenant, and without a trigger: each node holds a copy. */
  reference: [
    'image',
    'organization',
    'user',
    'country',
    'language',
    'mail_footer',
    'organization_config',
    'organization_module',
    'organization_address',
    'organization_user',
    'organization_user_invitation',
    'api_key',
    'webhook_endpoint',
    'organization_export',
    'payment_method',
    'subscription',
    'integration',
  ],
  /** Large: the rows of one organization are on one node, next to each other. */
  distributed: [
    'row_total',
    'change',
    'location',
    'employee',
    'meeting',
    'bank_account',
    'bank_transaction',
    'invoice',
    'audit_event',
    'organization_export_part',
    'webhook_delivery',
  ],
  /** Work of the servers and answers that they keep: on the coordinator alone, next to the queue of jobs. */
  local: [
    'migrations',
    'idempotency_key',
    'session',
    'outgoing_mail',
    'stripe_event',
    'job_crash',
    'bank_slot',
    'bank_import',
  ],
} as const

/** Tables whose rows belong to no tenant. All others are behind row-level security. */
export const sharedTables: readonly string[] = [
  'image',
  'user',
  'country',
  'migrations',
  'idempotency_key',
  'session',
  'stripe_event',
  'job_crash',
  'bank_slot',
  'bank_import',
]

/** Tables of tenants that no list shows. The role of lists may not read them. */
export const unlistedTables: readonly string[] = ['change', 'organization_export_part', 'outgoing_mail']

/** The column by which large tables are distributed. */
export const distributionColumn = 'organizationId'

/**
 * Tables whose rows mean nothing after a restore. Changes are numbered by one server, and streams start over without them. A
 * session that its user has ended since the backup must not live again. An archive of an export is a copy of other rows.
 */
export const shortLivedTables: readonly string[] = [
  'change',
  'session',
  'organization_export',
  'organization_export_part',
]

/** Tables of older schemas that a migration has dropped. A backup of such a schema still has their rows. */
export const formerTables: readonly string[] = []

/** Tables that migrations fill. */
export const filledTables: readonly string[] = ['country', 'bank_slot']
