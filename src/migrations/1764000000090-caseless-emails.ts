import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Employees are found by their address in any case. */
export class CaselessEmails1764000000090 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX "employee.email" ON "employee" ("organizationId", lower("email"))`)
    await runner.query(`DROP INDEX "IDX_b9419178889a52d490f3d08234"`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX "IDX_b9419178889a52d490f3d08234" ON "employee" ("organizationId", "email")`)
    await runner.query(`DROP INDEX "employee.email"`)
  }
}
