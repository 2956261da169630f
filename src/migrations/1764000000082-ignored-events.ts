import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Forgets what was kept of events that concern nobody here, apart from their id and type. */
export class IgnoredEvents1764000000082 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `UPDATE "stripe_event" SET "payload" = '{}', "customerId" = NULL, "objectId" = NULL WHERE "status" = 'ignored'`,
    )
  }

  async down(): Promise<void> {}
}
