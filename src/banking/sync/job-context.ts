import type { Logger } from 'pino'
import type { EntityManager } from 'typeorm'
import type { Banking } from '../banking.ts'

/** The dependencies of a bank job. */
export interface JobContext {
  manager: EntityManager
  banking: Banking
  log: Logger
}
