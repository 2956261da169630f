import type { MigrationInterface, QueryRunner } from 'typeorm'
import { lowerCompatibleFrom, raiseCompatibleFrom } from './compatibility.ts'
import { createMeetingExclusive } from './meeting-exclusive.ts'
import { createOverlapTriggers, dropOverlapTriggers } from './overlap-triggers.ts'

/**
 * The statements that write meetings and the setting "meetingOverlap" keep meetings apart, instead of triggers. A trigger of a
 * distributed table runs on the node of its row. There it cannot read other tables, and advisory locks are others.
 */
export class Overlap1764000000103 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await raiseCompatibleFrom(runner, this)
    await dropOverlapTriggers(runner)

    await createMeetingExclusive(runner)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION "meeting_exclusive"')
    await createOverlapTriggers(runner)
    await lowerCompatibleFrom(runner, 1_764_000_000_102)
  }
}
