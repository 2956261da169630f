import type { QueryRunner } from 'typeorm'

/** Creates the triggers that kept meetings apart until the statements themselves did. */
export async function createOverlapTriggers(runner: QueryRunner): Promise<void> {
  // A statement that writes a meeting locks the setting for share, so the setting does not change meanwhile. Where
  // meetings may not overlap, an advisory lock admits one writer for an employee, which avoids deadlocks. Meetings that
  // had ended when the setting was switched are not in the constraint, so a write in the past searches for them.
  await runner.query(`CREATE FUNCTION "follow_overlap"() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE other uuid;
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(hashtextextended('meetingOverlap ' || NEW."organizationId", 0));
      NEW."exclusive" := EXISTS (SELECT FROM "organization_config" WHERE "organizationId" = NEW."organizationId"
        AND "key" = 'meetingOverlap' AND "value" = '"reject"');
      IF NEW."exclusive" AND NEW."employeeId" IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('meetings of ' || NEW."employeeId", 0));
        SELECT "id" INTO other FROM "meeting" WHERE NEW."dateFrom" < statement_timestamp()
          AND "organizationId" = NEW."organizationId" AND "employeeId" = NEW."employeeId" AND "id" <> NEW."id"
          AND "dateFrom" < NEW."dateTo" AND "dateTo" > NEW."dateFrom" AND NOT "exclusive" LIMIT 1;
        IF FOUND THEN
          RAISE EXCEPTION 'Meetings would overlap.' USING ERRCODE = 'exclusion_violation', TABLE = 'meeting',
            CONSTRAINT = 'meeting:overlap', DETAIL = other;
        END IF;
      END IF;
      RETURN NEW;
    END $$`)
  await runner.query(`CREATE TRIGGER "exclusive_in" BEFORE INSERT ON "meeting"
    FOR EACH ROW EXECUTE FUNCTION "follow_overlap"()`)
  await runner.query(`CREATE TRIGGER "exclusive_changed" BEFORE UPDATE OF "employeeId", "dateFrom", "dateTo" ON "meeting"
    FOR EACH ROW WHEN ((OLD."employeeId", OLD."dateFrom", OLD."dateTo")
      IS DISTINCT FROM (NEW."employeeId", NEW."dateFrom", NEW."dateTo"))
    EXECUTE FUNCTION "follow_overlap"()`)

  // Meetings that have ended do not prevent the switch and are not rewritten, however many there are.
  await runner.query(`CREATE FUNCTION "switch_overlap"() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      standing bigint;
      example text;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('meetingOverlap ' || NEW."organizationId", 0));
      IF NEW."value" IS DISTINCT FROM '"reject"' THEN
        UPDATE "meeting" SET "exclusive" = false WHERE "organizationId" = NEW."organizationId" AND "exclusive";
        RETURN NULL;
      END IF;
      SELECT count(*), min("id"::text) INTO standing, example FROM (
        SELECT "id", "dateFrom", max("dateTo") OVER (PARTITION BY "employeeId" ORDER BY "dateFrom", "id"
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS "busyUntil"
          FROM "meeting" WHERE "organizationId" = NEW."organizationId" AND "employeeId" IS NOT NULL
            AND "dateTo" > statement_timestamp()) AS "planned"
        WHERE "busyUntil" > "dateFrom";
      IF standing > 0 THEN
        RAISE EXCEPTION 'Meetings overlap already.' USING ERRCODE = 'exclusion_violation', TABLE = 'organization_config',
          CONSTRAINT = 'organization_config:meetingOverlap', DETAIL = standing || ' ' || example;
      END IF;
      UPDATE "meeting" SET "exclusive" = true WHERE "organizationId" = NEW."organizationId"
        AND "employeeId" IS NOT NULL AND NOT "exclusive" AND "dateTo" > statement_timestamp();
      RETURN NULL;
    END $$`)
  await runner.query(`CREATE TRIGGER "switched" AFTER UPDATE ON "organization_config"
    FOR EACH ROW WHEN (NEW."key" = 'meetingOverlap' AND OLD."value" IS DISTINCT FROM NEW."value")
    EXECUTE FUNCTION "switch_overlap"()`)
}

export async function dropOverlapTriggers(runner: QueryRunner): Promise<void> {
  await runner.query(`DROP TRIGGER "switched" ON "organization_config"`)
  await runner.query(`DROP FUNCTION "switch_overlap"`)
  await runner.query(`DROP TRIGGER "exclusive_changed" ON "meeting"`)
  await runner.query(`DROP TRIGGER "exclusive_in" ON "meeting"`)
  await runner.query(`DROP FUNCTION "follow_overlap"`)
}
