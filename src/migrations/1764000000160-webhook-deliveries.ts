import type { MigrationInterface, QueryRunner } from 'typeorm'
import { secureRows } from '../postgres/row-security.ts'

/** Keeps the events that are sent to webhook endpoints, until a month after their last attempt. */
export class WebhookDeliveries1764000000160 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "webhook_delivery" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "endpointId" uuid NOT NULL, "auditEventId" uuid, "event" text NOT NULL, "status" text NOT NULL, "attempts" integer NOT NULL, "nextAttemptAt" TIMESTAMP(3) WITH TIME ZONE, "lastAttemptAt" TIMESTAMP(3) WITH TIME ZONE, "responseStatus" integer, "responseBody" text, "duration" integer, "error" text, CONSTRAINT "PK_0bdbb971e76f99e5d5627011480" PRIMARY KEY ("organizationId", "id"))`,
    )
    await runner.query(
      `CREATE INDEX "webhook_delivery:due" ON "webhook_delivery" ("nextAttemptAt") WHERE "status" = 'pending'`,
    )
    await runner.query(`CREATE INDEX "IDX_9cb9b7d7c2e124ce2b8b59a45f" ON "webhook_delivery" ("createdAt")`)
    await runner.query(
      `CREATE INDEX "IDX_14a6017dcff8cf89c9df4ce82b" ON "webhook_delivery" ("organizationId", "status", "id")`,
    )
    await runner.query(
      `CREATE INDEX "IDX_b72e4a9951483fb5ed73d1b3a8" ON "webhook_delivery" ("organizationId", "event", "id")`,
    )
    await runner.query(
      `CREATE INDEX "IDX_73c967c0b3bd20d7be713cd948" ON "webhook_delivery" ("organizationId", "endpointId", "id")`,
    )
    await runner.query(
      `ALTER TABLE "webhook_delivery" ADD CONSTRAINT "FK_0f706ac986d24fc8dd3f66b80ea" FOREIGN KEY ("organizationId") REFERENCES "organization"("id")`,
    )
    await runner.query(
      `ALTER TABLE "webhook_delivery" ADD CONSTRAINT "FK_99a7c4fd7543bfe4f9be5cd26c7" FOREIGN KEY ("organizationId", "auditEventId") REFERENCES "audit_event"("organizationId","id")`,
    )
    await runner.query(
      `ALTER TABLE "webhook_delivery" ADD CONSTRAINT "FK_28eb386e2f94480ef87992b7614" FOREIGN KEY ("organizationId", "endpointId") REFERENCES "webhook_endpoint"("organizationId","id")`,
    )
    await secureRows(runner, 'webhook_delivery')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "webhook_delivery"`)
    await runner.query(`DELETE FROM "row_total" WHERE "relation" = 'webhook_delivery'`)
  }
}
