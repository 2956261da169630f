import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Stores invitations by the hash of their token, the user who accepted each, and their mails. */
export class People1764000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "outgoing_mail" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "recipient" text NOT NULL, "subject" text NOT NULL, "html" text, "text" text, "attachments" jsonb NOT NULL, "about" text NOT NULL, "status" text NOT NULL, "attempts" integer NOT NULL, "error" text, "dueAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(), "sentAt" TIMESTAMP(3) WITH TIME ZONE, CONSTRAINT "UQ_31cd8c8181d1b915a6cdb46870f" UNIQUE ("organizationId", "id"), CONSTRAINT "PK_ed85381cac829352bf9e8238ff8" PRIMARY KEY ("id"))`,
    )
    await runner.query(`CREATE INDEX "IDX_14a04f02344f3f8aabcf623173" ON "outgoing_mail" ("about", "status")`)
    await runner.query(`CREATE INDEX "IDX_b53884194ca7f2f472423a3583" ON "outgoing_mail" ("status", "dueAt")`)
    await runner.query(
      `ALTER TABLE "outgoing_mail" ADD CONSTRAINT "FK_5bb7abc5f2434f6d0e548feeb53" FOREIGN KEY ("organizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(`ALTER TABLE "organization_user_invitation" ADD "acceptedById" uuid`)
    await runner.query(
      `ALTER TABLE "organization_user_invitation" ADD CONSTRAINT "FK_cb51135ac71ac1fc2509d5bbf7f" FOREIGN KEY ("acceptedById") REFERENCES "user"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`,
    )
    await runner.query(
      `CREATE INDEX "IDX_cb51135ac71ac1fc2509d5bbf7" ON "organization_user_invitation" ("acceptedById")`,
    )
    await runner.query(
      `CREATE UNIQUE INDEX "IDX_605b01172843a9b660b90467a3" ON "organization_user_invitation" ("tokenHash")`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "IDX_605b01172843a9b660b90467a3"`)
    await runner.query(`DROP INDEX "IDX_cb51135ac71ac1fc2509d5bbf7"`)
    await runner.query(`ALTER TABLE "organization_user_invitation" DROP CONSTRAINT "FK_cb51135ac71ac1fc2509d5bbf7f"`)
    await runner.query(`ALTER TABLE "organization_user_invitation" DROP COLUMN "acceptedById"`)
    await runner.query(`DROP TABLE "outgoing_mail"`)
  }
}
