import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Which organization a user acts for where its token names none; null stands for the oldest membership. */
export class DefaultOrganization1764000000061 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "user" ADD "defaultOrganizationId" uuid`)
    await runner.query(`ALTER TABLE "user" ADD CONSTRAINT "FK_0e9f745ad08103a1c21523326c6"
      FOREIGN KEY ("defaultOrganizationId") REFERENCES "organization"("id") ON DELETE NO ACTION ON UPDATE NO ACTION`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "user" DROP COLUMN "defaultOrganizationId"`)
  }
}
