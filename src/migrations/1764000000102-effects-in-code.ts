import type { MigrationInterface, QueryRunner } from 'typeorm'
import { CustomerProfile1764000000080 } from './1764000000080-customer-profile.ts'
import { keepBilledTo } from './1764000000083-billed-to.ts'
import { lowerCompatibleFrom, raiseCompatibleFrom } from './compatibility.ts'

const customerProfile = new CustomerProfile1764000000080()

/** No trigger writes another table: a database of several machines cannot run such a trigger. The code writes these rows. */
export class EffectsInCode1764000000102 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await customerProfile.down(runner)
    await keepBilledTo.drop(runner)
    await raiseCompatibleFrom(runner, this)
  }

  async down(runner: QueryRunner): Promise<void> {
    await keepBilledTo.create(runner)
    await customerProfile.up(runner)
    await lowerCompatibleFrom(runner, 1_764_000_000_101)
  }
}
