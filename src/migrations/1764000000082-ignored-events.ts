import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Deletes the payload of ignored events; their id and type stay. */
export class IgnoredEvents1764000000082 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `UPDATE "stripe_event" SET "payload" = '{}', "customerId" = NULL, "objectId" = NULL WHERE "status" = 'ignored'`,
    )
  }

  async down(): Promise<void> {}
}
