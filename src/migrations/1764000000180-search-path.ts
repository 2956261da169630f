import type { MigrationInterface, QueryRunner } from 'typeorm'

const meetingExclusive = '"meeting_exclusive"(uuid, uuid, timestamptz, timestamptz, uuid)'

/**
 * Fixes where the function of the owner looks for tables and operators. With `pg_temp` first, as it is unless it is named, a caller
 * could put a temporary table in the place of a real one.
 */
export class SearchPath1764000000180 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER FUNCTION ${meetingExclusive} SET search_path = pg_catalog, public, pg_temp`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER FUNCTION ${meetingExclusive} SET search_path FROM CURRENT`)
  }
}
