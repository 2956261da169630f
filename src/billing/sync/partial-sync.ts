import type { EntityManager } from 'typeorm'
import { isConflict, Problem, VersionConflict } from '../../hydra/index.ts'

/** Some objects of a customer could not be stored; the others were. */
export class PartialSyncError extends Error {
  /** True when each failure is a conflict with another transaction, which a retry may resolve. */
  readonly isRace: boolean
  /** True when each failure is an error of Stripe, so the events do not count it as an attempt. */
  readonly isStripeFailure: boolean

  constructor(reasons: unknown[]) {
    super(reasons.map((reason) => (reason as Error).message).join('\n'))
    this.isRace = reasons.every(isRace)
    this.isStripeFailure = reasons.every(isStripeFailure)
  }
}

/** Stores the objects of a customer one by one: an object that fails does not prevent the others. */
export class PartialSync {
  /** The errors of the objects that were not stored; the job tries those objects again. */
  readonly failures: unknown[] = []
  /** Sentences that each name what a person must add or do, such as enter a billing address. */
  readonly missingData: string[] = []

  /**
   * @returns whether the object was stored
   * @throws VersionConflict when a request wrote a row since it was read; then the whole sync is repeated
   */
  async attempt(manager: EntityManager, write: (manager: EntityManager) => Promise<void>): Promise<boolean> {
    try {
      // A transaction inside another one is a savepoint.
      await manager.transaction(write)
      return true
    } catch (error) {
      if (error instanceof VersionConflict) throw error
      this.failures.push(error)
      return false
    }
  }
}

/** Whether an error is a conflict with another transaction, which a retry may resolve. 23505 is a unique violation. */
export function isRace(error: unknown): boolean {
  const { code } = ((error as { driverError?: object }).driverError ?? error) as { code?: string }
  return error instanceof VersionConflict || isConflict(error) || code === '23505'
}

/** Whether Stripe failed or refused a request. A version conflict is a problem too, but of this server's own row. */
export function isStripeFailure(error: unknown): boolean {
  return error instanceof Problem && !(error instanceof VersionConflict)
}
