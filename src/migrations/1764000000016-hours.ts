import type { MigrationInterface, QueryRunner } from 'typeorm'

const together = '("officeOpenHour" IS NULL) = ("officeCloseHour" IS NULL)'

/** Opening hours may reach across midnight, so the closing hour is any other than the opening hour. */
export class Hours1764000000016 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "location" DROP CONSTRAINT "CHK_453f1746abd7f94293d9b366ae"`)
    await runner.query(`ALTER TABLE "location" ADD CONSTRAINT "CHK_cee59478b780dda930b44dae9b"
      CHECK (${together} AND "officeCloseHour" <> "officeOpenHour")`)
  }

  /** Hours across midnight have no form in the older schema and become unknown. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE "location" SET "officeOpenHour" = NULL, "officeCloseHour" = NULL
      WHERE "officeCloseHour" < "officeOpenHour"`)
    await runner.query(`ALTER TABLE "location" DROP CONSTRAINT "CHK_cee59478b780dda930b44dae9b"`)
    await runner.query(`ALTER TABLE "location" ADD CONSTRAINT "CHK_453f1746abd7f94293d9b366ae"
      CHECK (${together} AND "officeCloseHour" > "officeOpenHour")`)
  }
}
