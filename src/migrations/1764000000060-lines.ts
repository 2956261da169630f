import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Texts of one line by table: those in which something must be visible, and those that may be empty. */
const lines: Record<string, { names: string[]; others?: string[] }> = {
  location: { names: ['name'] },
  employee: { names: ['name'], others: ['phone', 'jobTitle'] },
  organization: { names: ['name'] },
  organization_address: { names: ['name', 'street', 'city'], others: ['houseNumber', 'postalCode', 'vatNumber'] },
  organization_user: { names: ['name'] },
  organization_user_invitation: { names: ['name'] },
  user: { names: ['name'] },
}

/** Free text, which is only composed. */
const free: Record<string, string> = { meeting: 'notes', mail_footer: 'mailFooter' }

const spaces = String.raw` \u00A0\u1680\u2000-\u200B\u202F\u205F\u2060\u3000\uFEFF`
const controls = String.raw`\u0001-\u001F\u007F-\u009F\u2028\u2029`
const invisible = String.raw`\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200C-\u200F\u202A-\u202E\u2061-\u206F\u2800\u3164\uFE00-\uFE0F\uFFA0\uFFF0-\uFFF8`

const changes = `"version" = "version" + 1, "updatedAt" = now()`

/** Writes names and other texts of one line as the API stores them from now on: composed, without control characters and white space around them. */
export class Lines1764000000060 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE FUNCTION pg_temp."line_of"(text) RETURNS text LANGUAGE sql STRICT AS $$
      SELECT CASE WHEN $1 ~ '[^${controls}${spaces}${invisible}]' THEN
        regexp_replace(normalize(regexp_replace($1, '[${controls}]+', ' ', 'g'), NFC), '^[${spaces}]+|[${spaces}]+$', '', 'g')
        ELSE '' END $$`)
    // Two locations may be equal for as long as it takes to rename one of them.
    await runner.query('DROP INDEX "location:name"')
    for (const [table, { names, others = [] }] of Object.entries(lines)) {
      const name = (column: string) => `left(coalesce(nullif(pg_temp."line_of"("${column}"), ''), 'Unnamed'), 255)`
      const written = [
        ...names.map((column) => [column, `CASE WHEN "${column}" IS NOT NULL THEN ${name(column)} END`]),
        ...others.map((column) => [column, `pg_temp."line_of"("${column}")`]),
      ]
      await runner.query(`UPDATE "${table}" SET ${written.map(([column, text]) => `"${column}" = ${text}`).join(', ')}, ${changes}
        WHERE ${written.map(([column, text]) => `"${column}" IS DISTINCT FROM ${text}`).join(' OR ')}`)
    }
    for (const [table, column] of Object.entries(free))
      await runner.query(
        `UPDATE "${table}" SET "${column}" = normalize("${column}", NFC), ${changes} WHERE "${column}" IS NOT NFC NORMALIZED`,
      )
    await renameTwins(runner)
    await runner.query('CREATE UNIQUE INDEX "location:name" ON "location" ("organizationId", lower("name"))')
    await runner.query('DROP FUNCTION pg_temp."line_of"(text)')
  }

  /** The former spellings are lost, so there is nothing to restore. */
  async down(): Promise<void> {}
}

/** Of locations that have one name the oldest keeps it; the others get the first number that is free. */
async function renameTwins(runner: QueryRunner): Promise<void> {
  await runner.query(`DO $$
    DECLARE
      "twin" record;
      "number" int;
      "free" text;
    BEGIN
      FOR "twin" IN SELECT "id", "organizationId", "name" FROM (SELECT *, row_number() OVER (
          PARTITION BY "organizationId", lower("name") ORDER BY "createdAt", "id") AS "place" FROM "location") AS "placed"
          WHERE "place" > 1 ORDER BY "createdAt", "id" LOOP
        "number" := 2;
        LOOP
          "free" := left("twin"."name", 255 - length(format(' (%s)', "number"))) || format(' (%s)', "number");
          EXIT WHEN NOT EXISTS (SELECT FROM "location"
            WHERE "organizationId" = "twin"."organizationId" AND lower("name") = lower("free"));
          "number" := "number" + 1;
        END LOOP;
        UPDATE "location" SET "name" = "free", ${changes} WHERE "id" = "twin"."id";
      END LOOP;
    END $$`)
}
