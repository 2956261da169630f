import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Counts how often a job's process ended while the job ran: the job's own row is reset whenever it is enqueued again. */
export class JobCrashes1764000000019 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "job_crash" ("task" text NOT NULL, "key" text NOT NULL, "keyed" boolean NOT NULL, "payload" text NOT NULL,
        "crashes" integer NOT NULL, "until" timestamptz NOT NULL, "deadAt" timestamptz, PRIMARY KEY ("task", "key"))`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "job_crash"`)
  }
}
