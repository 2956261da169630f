import type { MigrationInterface, QueryRunner } from 'typeorm'
import { buildIndex, hasConstraint, validate } from './online-changes.ts'

const ofEvents = { index: 'IDX_a92724f4b7c50c3ffd086a1128', foreignKey: 'FK_66b898669b6f8582f32e6b13be4' }

/**
 * Keeps the API keys of organizations. Audit events name the key of the program that acted. A large audit log is indexed and
 * checked while others read and write. Each step can run again, so a migration that was interrupted goes on.
 */
export class ApiKeys1764000000120 implements MigrationInterface {
  readonly transaction = false

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE IF NOT EXISTS "api_key" ("id" uuid NOT NULL, "createdAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "version" integer NOT NULL, "organizationId" uuid NOT NULL, "name" text NOT NULL, "role" text NOT NULL, "expiresAt" TIMESTAMP(3) WITH TIME ZONE NOT NULL, "createdById" uuid NOT NULL, "hint" text NOT NULL, "lastUsedAt" TIMESTAMP(3) WITH TIME ZONE, "revokedAt" TIMESTAMP(3) WITH TIME ZONE, "hash" bytea NOT NULL, CONSTRAINT "PK_618fbcbadaa2513a46c6307f2cb" PRIMARY KEY ("organizationId", "id"))`,
    )
    await runner.query(`CREATE INDEX IF NOT EXISTS "IDX_76c1592a8ca784b7b66edfa35d" ON "api_key" ("createdById")`)
    await runner.query(`CREATE UNIQUE INDEX IF NOT EXISTS "IDX_45e0aa2a880b928326a05a2888" ON "api_key" ("hash")`)
    await addForeignKey(
      runner,
      'api_key',
      'FK_0f36d5c1e97d23b200558af5806',
      '("organizationId") REFERENCES "organization"("id")',
    )
    await addForeignKey(runner, 'api_key', 'FK_76c1592a8ca784b7b66edfa35d2', '("createdById") REFERENCES "user"("id")')
    await runner.query(`ALTER TABLE "audit_event" ADD COLUMN IF NOT EXISTS "apiKeyId" uuid`)
    await buildIndex(runner, ofEvents.index, 'audit_event', ['organizationId', 'apiKeyId', 'id'])
    await addForeignKey(
      runner,
      'audit_event',
      ofEvents.foreignKey,
      '("organizationId", "apiKeyId") REFERENCES "api_key"("organizationId","id")',
    )
    await validate(runner)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "audit_event" DROP CONSTRAINT IF EXISTS "${ofEvents.foreignKey}"`)
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS "${ofEvents.index}"`)
    await runner.query(`ALTER TABLE "audit_event" DROP COLUMN IF EXISTS "apiKeyId"`)
    await runner.query(`DROP TABLE IF EXISTS "api_key"`)
  }
}

/** Adds a foreign key whose rows are checked later, by `validate`. */
async function addForeignKey(runner: QueryRunner, table: string, name: string, key: string): Promise<void> {
  if (await hasConstraint(runner, name)) return
  await runner.query(`ALTER TABLE "${table}" ADD CONSTRAINT "${name}" FOREIGN KEY ${key} NOT VALID`)
}
