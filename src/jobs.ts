import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import type { Billing } from './billing/billing.ts'
import { followCustomer } from './billing/follow.ts'
import { endDue } from './billing/periods.ts'
import { reconcile, ringAgain } from './billing/reconcile.ts'
import { settleSubscription } from './billing/settle.ts'
import { expire } from './hydra/claims.ts'
import type { Tasks } from './queue/queue.ts'
import { tidy } from './queue/tidy.ts'

/** What is done in the background: by name, for whoever enqueues it. */
export function tasks(database: DataSource, billing: Billing, log: Logger): Tasks {
  return {
    followCustomer: followCustomer(database, billing, log),
    settleSubscription: settleSubscription(database, billing),
    ringAgain: () => ringAgain(database),
    endPeriods: () => endDue(database),
    expireKeys: () => expire((database.driver as PostgresDriver).master),
    reconcile: () => reconcile(database),
    tidy: () => tidy(database),
  }
}

/** When what is done by the clock is done, in UTC; one process does it, however many there are. */
export const crontab = `
* * * * * ringAgain ?jobKey=ringAgain&max=1
* * * * * endPeriods ?jobKey=endPeriods&max=1
17 * * * * expireKeys ?jobKey=expireKeys&max=1
40 2 * * * reconcile ?jobKey=reconcile&max=3
50 2 * * * tidy ?jobKey=tidy&max=1
`
