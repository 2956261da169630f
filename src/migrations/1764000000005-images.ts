import type { MigrationInterface, QueryRunner } from 'typeorm'

const uses = [
  { column: 'logoId', key: 'FK_8caca2b07d288e145b392aa9a92', index: 'IDX_8caca2b07d288e145b392aa9a9' },
  { column: 'iconId', key: 'FK_18153c612d3bf9edaa3bbe1ba12', index: 'IDX_18153c612d3bf9edaa3bbe1ba1' },
]

/** Logos and icons of organizations, kept where every process finds them. */
export class Images1764000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "image" ("id" text NOT NULL, "type" text NOT NULL, "width" integer NOT NULL, "height" integer NOT NULL, "bytes" bytea NOT NULL, CONSTRAINT "PK_d6db1ab4ee9ad9dbe86c64e4cc3" PRIMARY KEY ("id"))`,
    )
    for (const { column, key, index } of uses) {
      await runner.query(`ALTER TABLE "organization" ADD "${column}" text`)
      await runner.query(`CREATE INDEX "${index}" ON "organization" ("${column}")`)
      await runner.query(
        `ALTER TABLE "organization" ADD CONSTRAINT "${key}" FOREIGN KEY ("${column}") REFERENCES "image" ("id")`,
      )
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { column } of uses) await runner.query(`ALTER TABLE "organization" DROP COLUMN "${column}"`)
    await runner.query(`DROP TABLE "image"`)
  }
}
