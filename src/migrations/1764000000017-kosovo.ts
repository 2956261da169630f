import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Kosovo has a code that ISO 3166-1 leaves to its users; a newer database has the row from the start. */
export class Kosovo1764000000017 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`INSERT INTO "country" ("id") VALUES ('XK') ON CONFLICT DO NOTHING`)
  }

  /** The row stays: addresses may point at it, and the older schema allows it. */
  async down(): Promise<void> {}
}
