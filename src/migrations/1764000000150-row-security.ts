import type { MigrationInterface, QueryRunner } from 'typeorm'
import { openRows, secureRows } from '../postgres/row-security.ts'
import { asOwner, createMeetingExclusive } from './meeting-exclusive.ts'

/** The tables with rows of tenants at this migration. A later table secures its rows in its own migration. */
const tables = [
  'organization',
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
  'organization_export_part',
  'payment_method',
  'subscription',
  'integration',
  'row_total',
  'change',
  'location',
  'employee',
  'meeting',
  'bank_account',
  'bank_transaction',
  'invoice',
  'audit_event',
  'outgoing_mail',
]

/** Hides the rows of tenants that a transaction does not name from a role that does not own the tables. */
export class RowSecurity1764000000150 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of tables) await secureRows(runner, table)
    await createMeetingExclusive(runner, asOwner)
  }

  async down(runner: QueryRunner): Promise<void> {
    await createMeetingExclusive(runner)
    for (const table of tables) await openRows(runner, table)
  }
}
