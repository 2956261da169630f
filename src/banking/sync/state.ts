import type { Integration } from '../../../entities/index.ts'
import type { BankingTiming } from '../banking.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { BankProblem } from '../kontomatik/bank-problem.ts'
import type { SuccessfulCommand } from '../kontomatik/command-reply.ts'
import type { JobContext } from './job-context.ts'

/** The row of an integration, and the other facts that its state depends on. */
export interface Situation {
  row: Integration
  timing: BankingTiming
  /** The organization is suspended or closed. */
  isReadOnly: boolean
  /** The import holds one of the slots that all imports of all tenants share. */
  hasSlot: boolean
}

/** How a step ended. */
export interface StepResult<O extends string = string> {
  outcome: O
  /** The columns that the step found values for; the transition writes them. */
  set?: Partial<Integration>
  problem?: BankProblem
  command?: SuccessfulCommand
}

/**
 * One request to Kontomatik. Before a request that must not be repeated, the step marks the row, so that the next process knows
 * of it after a crash.
 * @returns undefined where another request has changed the row meanwhile
 */
export type Step<O extends string> = (context: JobContext, row: Integration) => Promise<StepResult<O> | undefined>

/** The consequence of a step: columns to write, and when the next step runs. */
export interface Transition {
  /** Columns to write, `status` among them; the result's own columns are added. */
  set?: Partial<Integration>
  /** The import to store, in the transaction that writes the row. */
  store?: SuccessfulCommand
  /** Milliseconds until the next step; absent where the work ends. */
  waitMs?: number
  releasesSlot?: true
  /** The verb of the audit event that records the change of the status. */
  audit?: 'pull' | 'revoke'
  /** For the log. */
  failure?: { message: string; code: ErrorCode; problem?: BankProblem }
}

export type Next = (situation: Situation, result: StepResult) => Transition

/** A state has a step and a transition for each of its outcomes, or a transition alone. */
export interface State {
  name: string
  when(situation: Situation): boolean
  step?: Step<string>
  next(result: StepResult): Next
}

/** The statuses in which a job has work to do. */
export type WorkingStatus = Extract<Integration['status'], 'importing' | 'revoking'>

interface StateWithStep<O extends string> {
  name: string
  when: State['when']
  step: Step<O>
  on: Record<O, Next>
}

interface StateWithoutStep {
  name: string
  when: State['when']
  to: Next
}

/** Checks that a state handles every outcome of its step. */
export function state<O extends string = never>(options: StateWithStep<O> | StateWithoutStep): State {
  const { name, when } = options
  if ('to' in options) return { name, when, next: () => options.to }
  return { name, when, step: options.step, next: ({ outcome }) => options.on[outcome as O] }
}
