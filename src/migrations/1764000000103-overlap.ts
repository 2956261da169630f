import type { MigrationInterface, QueryRunner } from 'typeorm'
import { lowerCompatibleFrom, raiseCompatibleFrom } from './compatibility.ts'
import { createOverlapTriggers, dropOverlapTriggers } from './overlap-triggers.ts'

/**
 * The statements that write meetings and the setting "meetingOverlap" keep meetings apart, instead of triggers. A trigger of a
 * distributed table runs on the node of its row. There it cannot read other tables, and advisory locks are others.
 */
export class Overlap1764000000103 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await raiseCompatibleFrom(runner, this)
    await dropOverlapTriggers(runner)

    // The setting does not change until the transaction ends. Where meetings may not overlap, the second lock admits one
    // writer for an employee, which avoids deadlocks. Meetings that had ended when the setting was switched are not in the
    // constraint, so a write in the past searches for them. The time is read after the lock: a switch cannot be later.
    await runner.query(`CREATE FUNCTION "meeting_exclusive"(
        organization uuid, employee uuid, starts timestamptz, ends timestamptz, itself uuid)
      RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
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
            IF FOUND THEN
              RAISE EXCEPTION 'Meetings would overlap.' USING ERRCODE = 'exclusion_violation', TABLE = 'meeting',
                CONSTRAINT = 'meeting:overlap', DETAIL = other;
            END IF;
          END IF;
        END IF;
        RETURN true;
      END $$`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION "meeting_exclusive"')
    await createOverlapTriggers(runner)
    await lowerCompatibleFrom(runner, 1_764_000_000_102)
  }
}
