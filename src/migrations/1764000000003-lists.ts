import type { MigrationInterface, QueryRunner } from 'typeorm'
import { countTable, createCountFunction, createCountTriggers, dropCountTriggers } from './count-rows.ts'

const ordered = [
  ['IDX_69f1fc677e14998c2013108333', 'audit_event', '"organizationId", "at", "id"'],
  ['IDX_bb778317b775b78adafff9e9e9', 'location', '"organizationId", "name", "id"'],
  ['IDX_b8ec5ef1581503cc3cfdf778fb', 'employee', '"organizationId", "name", "id"'],
  ['IDX_c801a12fce96f681dc705050b4', 'invoice', '"organizationId", "createdAt", "id"'],
  ['IDX_eb01349cfb7cff80aa69782659', 'meeting', '"organizationId", "dateTo", "id"'],
  ['IDX_273981bf12728b36261fba9263', 'meeting', '"organizationId", "dateFrom", "id"'],
  ['IDX_b9419178889a52d490f3d08234', 'employee', '"organizationId", "email"'],
  ['IDX_c4cd446a4b6067f02547f755d1', 'meeting', '"organizationId", "time"'],
  ['IDX_3a08dd29cd188f3318c88b0e13', 'organization', '"createdAt", "id"'],
  ['IDX_bfb6ed0ecee4c0a3a5d1ee3780', 'organization', '"name", "id"'],
]

/** Found by a part of their text, which only an index of trigrams can do. */
const searched = [
  ['meeting', 'notes'],
  ['location', 'name'],
  ['employee', 'name'],
  ['employee', 'jobTitle'],
]

const counted = ['audit_event', 'employee', 'invoice', 'location', 'meeting']

/** Makes large collections fast: an index for each order and each text, and totals that need no counting. */
export class Lists1764000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [name, table, columns] of ordered)
      await runner.query(`CREATE INDEX "${name}" ON "${table}" (${columns})`)
    await runner.query('CREATE EXTENSION IF NOT EXISTS pg_trgm')
    for (const [table, column] of searched)
      await runner.query(`CREATE INDEX "${table}.${column}" ON "${table}" USING gin ("${column}" gin_trgm_ops)`)

    await runner.query(
      `CREATE TABLE "row_total" ("relation" text NOT NULL, "organizationId" uuid NOT NULL, "delta" bigint NOT NULL)`,
    )
    await runner.query(`CREATE INDEX "row_total_of" ON "row_total" ("organizationId", "relation")`)
    await createCountFunction(runner)
    for (const table of counted) {
      await createCountTriggers(runner, table)
      await countTable(runner, table)
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of counted) await dropCountTriggers(runner, table)
    await runner.query(`DROP FUNCTION "count_rows"`)
    await runner.query(`DROP TABLE "row_total"`)
    for (const [table, column] of searched) await runner.query(`DROP INDEX "${table}.${column}"`)
    for (const [name] of ordered) await runner.query(`DROP INDEX "${name}"`)
  }
}
