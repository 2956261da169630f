import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Keeps the API keys of organizations. Audit events name the key of the program that acted. */
export class ApiKeys1764000000120 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "api_key" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "name" text NOT NULL, "role" text NOT NULL, "expiresAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "createdById" uuid NOT NULL, "hint" text NOT NULL, "lastUsedAt" TIMESTAMP(3) WITH TIME ZONE, "revokedAt" TIMESTAMP(3) WITH TIME ZONE, "hash" bytea NOT NULL, CONSTRAINT "PK_618fbcbadaa2513a46c6307f2cb" PRIMARY KEY ("organizationId", "id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_76c1592a8ca784b7b66edfa35d" ON "api_key" ("createdById")`)
    await runner.query(`CREATE UNIQUE INDEX "IDX_45e0aa2a880b928326a05a2888" ON "api_key" ("hash")`)
    await runner.query(
      `ALTER TABLE "api_key" ADD CONSTRAINT "FK_0f36d5c1e97d23b200558af5806" FOREIGN KEY ("organizationId") REFERENCES "organization"("id")`,
    )
    await runner.query(
      `ALTER TABLE "api_key" ADD CONSTRAINT "FK_76c1592a8ca784b7b66edfa35d2" FOREIGN KEY ("createdById") REFERENCES "user"("id")`,
    )
    await runner.query(`ALTER TABLE "audit_event" ADD "apiKeyId" uuid`)
    await runner.query(
      `CREATE INDEX "IDX_a92724f4b7c50c3ffd086a1128" ON "audit_event" ("organizationId", "apiKeyId", "id")`,
    )
    await runner.query(
      `ALTER TABLE "audit_event" ADD CONSTRAINT "FK_66b898669b6f8582f32e6b13be4" FOREIGN KEY ("organizationId", "apiKeyId") REFERENCES "api_key"("organizationId","id")`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "audit_event" DROP CONSTRAINT "FK_66b898669b6f8582f32e6b13be4"`)
    await runner.query(`DROP INDEX "IDX_a92724f4b7c50c3ffd086a1128"`)
    await runner.query(`ALTER TABLE "audit_event" DROP COLUMN "apiKeyId"`)
    await runner.query(`DROP TABLE "api_key"`)
  }
}
