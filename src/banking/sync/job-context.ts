import type { Logger } from 'pino'
import type { EntityManager } from 'typeorm'
import type { Banking } from '../banking.ts'

/** What a step of a bank job works with. */
export interface JobContext {
  manager: EntityManager
  banking: Banking
  log: Logger
}
