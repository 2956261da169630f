import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Keeps exports of organizations. The bytes of an archive are stored in parts, as they are: they are compressed already. */
export class Exports1764000000140 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "organization_export" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "status" text NOT NULL, "progress" integer NOT NULL, "size" bigint, "requestedById" uuid NOT NULL, "finishedAt" TIMESTAMP(3) WITH TIME ZONE, "expiresAt" TIMESTAMP(3) WITH TIME ZONE, "attempts" integer NOT NULL, CONSTRAINT "PK_ae4c138f1d5314eb9482d34acb0" PRIMARY KEY ("organizationId", "id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_02d8cc80dbc3cc8f586d6f91dd" ON "organization_export" ("expiresAt")`)
    await runner.query(
      `ALTER TABLE "organization_export" ADD CONSTRAINT "FK_eae8a9923df3c23ab6327771645" FOREIGN KEY ("organizationId") REFERENCES "organization"("id")`,
    )
    await runner.query(
      `ALTER TABLE "organization_export" ADD CONSTRAINT "FK_3cfb7a8337eff87b737cb8d982d" FOREIGN KEY ("requestedById") REFERENCES "user"("id")`,
    )
    await runner.query(
      `CREATE TABLE "organization_export_part" ("organizationId" uuid NOT NULL, "exportId" uuid NOT NULL, "number" integer NOT NULL, "bytes" bytea STORAGE EXTERNAL NOT NULL, CONSTRAINT "organization_export_part:key" PRIMARY KEY ("organizationId", "exportId", "number"), CONSTRAINT "organization_export_part:export" FOREIGN KEY ("organizationId", "exportId") REFERENCES "organization_export"("organizationId", "id"))`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "organization_export_part"`)
    await runner.query(`DROP TABLE "organization_export"`)
  }
}
