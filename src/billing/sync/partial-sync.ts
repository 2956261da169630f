import type { EntityManager } from 'typeorm'
import { isConflict, Problem } from '../../hydra/index.ts'
import { Overtaken } from './write.ts'

/** Some of what Stripe has of a customer could not be written down; the rest has been. */
export class PartialSyncError extends Error {
  /** Whether each reason is a race that another try may win. */
  readonly isRace: boolean
  /** Whether each reason is Stripe's, so that no event is to blame. */
  readonly isStripeFailure: boolean

  constructor(reasons: unknown[]) {
    super(reasons.map((reason) => (reason as Error).message).join('\n'))
    this.isRace = reasons.every(isRace)
    this.isStripeFailure = reasons.every((reason) => reason instanceof Problem)
  }
}

/** What came of the pieces of which Stripe's state is made: each is written down or left out, whatever becomes of the others. */
export class PartialSync {
  /** Why pieces were left out, to be tried again. */
  readonly failures: unknown[] = []
  /** Sentences that each name something the organization has not entered yet, such as a billing address. */
  readonly missingData: string[] = []

  /** @throws Overtaken when a request has written a row meanwhile: then all is looked at again */
  async attempt(manager: EntityManager, write: (manager: EntityManager) => Promise<void>): Promise<boolean> {
    try {
      // A transaction within another is a savepoint.
      await manager.transaction(write)
      return true
    } catch (error) {
      if (error instanceof Overtaken) throw error
      this.failures.push(error)
      return false
    }
  }
}

/** Whether somebody else was faster, so that another look may well succeed. */
export function isRace(error: unknown): boolean {
  const { code } = (error as { driverError?: { code?: string } }).driverError ?? {}
  return error instanceof Overtaken || isConflict(error) || code === '23505'
}
