import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Indexes of names in the order of the database's locale, by table, which the ones in the order of people replace. */
const replaced: [table: string, index: string, columns: string[]][] = [
  ['bank_account', 'IDX_8de0a927e4e9fac66589d2e3d2', ['organizationId']],
  ['employee', 'IDX_b8ec5ef1581503cc3cfdf778fb', ['organizationId']],
  ['location', 'IDX_bb778317b775b78adafff9e9e9', ['organizationId']],
  ['organization', 'IDX_bfb6ed0ecee4c0a3a5d1ee3780', []],
]

/**
 * Orders names as people do, whatever the locale of the database. The columns keep their collation: a change of it would break
 * the prepared statements of older code that is running.
 */
export class NameOrder1764000000062 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE COLLATION "name_order" (provider = icu, locale = 'und')`)
    for (const [table, index, columns] of replaced) {
      const list = [...columns.map((column) => `"${column}"`), '"name" COLLATE "name_order"', '"id"'].join(', ')
      await runner.query(`CREATE INDEX "${table}.name" ON "${table}" (${list})`)
      await runner.query(`DROP INDEX "${index}"`)
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, index, columns] of replaced) {
      const list = [...columns, 'name', 'id'].map((column) => `"${column}"`).join(', ')
      await runner.query(`CREATE INDEX "${index}" ON "${table}" (${list})`)
      await runner.query(`DROP INDEX "${table}.name"`)
    }
    await runner.query('DROP COLLATION "name_order"')
  }
}
