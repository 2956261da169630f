import type { QueryRunner } from 'typeorm'

/** The attributes of the function, and a statement that runs before it admits a meeting. */
interface Variant {
  attributes?: string
  search?: string
}

/**
 * Creates the function that says whether a written meeting excludes others. The setting does not change until the transaction ends.
 * Where meetings may not overlap, the second lock admits one writer for an employee, which avoids deadlocks. Meetings that had
 * ended when the setting was switched are not in the constraint, so a write in the past searches for them. The time is read after
 * the lock: a switch cannot be later.
 */
export async function createMeetingExclusive(
  runner: QueryRunner,
  { attributes = '', search = '' }: Variant = {},
): Promise<void> {
  await runner.query(`CREATE OR REPLACE FUNCTION "meeting_exclusive"(
      organization uuid, employee uuid, starts timestamptz, ends timestamptz, itself uuid)
    RETURNS boolean LANGUAGE plpgsql VOLATILE ${attributes} AS $$
    DECLARE other uuid;
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(hashtextextended('meetingOverlap ' || organization, 0));
      PERFORM 1 FROM "organization_config"
        WHERE "organizationId" = organization AND "key" = 'meetingOverlap' AND "value" = '"reject"';
      IF NOT FOUND THEN
        RETURN false;
      END IF;
      IF employee IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('meetings of ' || employee, 0));
        IF starts < clock_timestamp() THEN
          SELECT "id" INTO other FROM "meeting"
            WHERE "organizationId" = organization AND "employeeId" = employee AND "id" <> itself
              AND "dateFrom" < ends AND "dateTo" > starts AND NOT "exclusive" LIMIT 1;
        END IF;
        ${search}
        IF other IS NOT NULL THEN
          RAISE EXCEPTION 'Meetings would overlap.' USING ERRCODE = 'exclusion_violation', TABLE = 'meeting',
            CONSTRAINT = 'meeting:overlap', DETAIL = other;
        END IF;
      END IF;
      RETURN true;
    END $$`)
}

/**
 * Behind row-level security, Postgres does not say which row violates a constraint, and `&&` cannot use an index. So the function runs
 * as the owner of the tables, and searches by the index of the constraint before the row is written.
 */
export const asOwner: Variant = {
  attributes: `SECURITY DEFINER SET search_path FROM CURRENT`,
  search: `IF other IS NULL AND starts < ends THEN
          SELECT "id" INTO other FROM "meeting"
            WHERE "exclusive" AND "employeeId" IS NOT NULL AND "organizationId" = organization AND "employeeId" = employee
              AND tstzrange("dateFrom", "dateTo") && tstzrange(starts, ends) AND "id" <> itself LIMIT 1;
        END IF;`,
}
