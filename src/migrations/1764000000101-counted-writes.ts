import type { MigrationInterface, QueryRunner } from 'typeorm'
import { lowerCompatibleFrom, raiseCompatibleFrom } from './compatibility.ts'
import { countTable, createCountFunction, createCountTriggers, dropCountTriggers } from './count-rows.ts'

const counted = ['audit_event', 'bank_transaction', 'employee', 'invoice', 'location', 'meeting']

/**
 * Totals are counted by the statements that write rows. A trigger with a transition table cannot exist on a distributed table.
 * Older code does not count, so it does not start on this schema.
 */
export class CountedWrites1764000000101 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of counted) await dropCountTriggers(runner, table)
    await runner.query('DROP FUNCTION "count_rows"')
    await raiseCompatibleFrom(runner, this)
  }

  async down(runner: QueryRunner): Promise<void> {
    await createCountFunction(runner)
    // The triggers lock the tables, so no row is written between them and the count.
    for (const table of counted) await createCountTriggers(runner, table)
    await runner.query('DELETE FROM "row_total"')
    for (const table of counted) await countTable(runner, table)
    await lowerCompatibleFrom(runner, 1_764_000_000_100)
  }
}
