import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Keeps the sign-ins of browsers. */
export class Sessions1764000000110 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "session" ("id" uuid NOT NULL, "hash" bytea NOT NULL, "issuer" text NOT NULL, "subject" text NOT NULL, "sealedTokens" text NOT NULL, "tokenExpiresAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "organization" uuid, "browser" text, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "usedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "expiresAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, CONSTRAINT "PK_f55da76ac1c3ac420f444d2ff11" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_5d97cf9773002b16861b4bb8ae" ON "session" ("expiresAt")`)
    await runner.query(`CREATE INDEX "IDX_c9932861e91473dcd73dc9c54f" ON "session" ("issuer", "subject")`)
    await runner.query(`CREATE UNIQUE INDEX "IDX_9a27ee81fbc0bb9e5260ed6f82" ON "session" ("hash")`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "session"`)
  }
}
