import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Keeps the addresses to which organizations have their events sent. */
export class WebhookEndpoints1764000000130 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "webhook_endpoint" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "url" text NOT NULL, "name" text NOT NULL, "events" text array NOT NULL, "role" text NOT NULL, "enabled" boolean NOT NULL, "disabledReason" text, "createdById" uuid NOT NULL, "lastDeliveredAt" TIMESTAMP(3) WITH TIME ZONE, "failingSince" TIMESTAMP(3) WITH TIME ZONE, "sealedSecret" text NOT NULL, "sealedFormerSecret" text, "formerSecretUntil" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "PK_bccf1a61fcd2e48b137f98987af" PRIMARY KEY ("organizationId", "id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_898dbfbc9267500a7df5074b05" ON "webhook_endpoint" ("createdById")`)
    await runner.query(
      `ALTER TABLE "webhook_endpoint" ADD CONSTRAINT "FK_3ca306f409b65534f0cd9e21aa1" FOREIGN KEY ("organizationId") REFERENCES "organization"("id")`,
    )
    await runner.query(
      `ALTER TABLE "webhook_endpoint" ADD CONSTRAINT "FK_898dbfbc9267500a7df5074b05c" FOREIGN KEY ("createdById") REFERENCES "user"("id")`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "webhook_endpoint"`)
  }
}
