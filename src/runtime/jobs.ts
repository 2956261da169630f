import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import type { Banking } from '../banking/banking.ts'
import { enqueueStaleIntegrations, resealSecrets } from '../banking/maintenance-jobs.ts'
import { syncIntegration } from '../banking/sync/sync-job.ts'
import type { Billing } from '../billing/billing.ts'
import { updateCustomerProfile } from '../billing/customer-profile.ts'
import { endDuePeriods } from '../billing/end-periods.ts'
import { enqueueUnresolved, resolvePendingSubscription } from '../billing/resolve-pending-subscription.ts'
import { reconcile } from '../billing/sync/reconcile.ts'
import { syncCustomerJob } from '../billing/sync/sync-customer-job.ts'
import { enqueueStaleCustomers } from '../billing/webhooks/replay-events.ts'
import { deleteExpiredKeys } from '../hydra/http/idempotency-store.ts'
import type { Mailer } from '../mail/mailer.ts'
import { deleteOldMail, enqueueStaleMail } from '../mail/outbox.ts'
import { sendMail } from '../mail/send-mail-job.ts'
import { cleanUpQueue } from '../queue/cleanup.ts'
import { release } from '../queue/job-locks.ts'
import type { Tasks } from '../queue/queue.ts'
import { runAll } from '../queue/run-all.ts'
import { enqueueUnprovisioned, provisionOrganization } from '../workspace/provision.ts'

/** Whom jobs speak to outside. */
export interface ExternalServices {
  billing: Billing
  banking: Banking
  mailer: Mailer
}

/**
 * What is done in the background: by name, for whoever enqueues it. Each may be begun anew while somebody is still at it who
 * was not heard of for a minute: what one alone may do is done under a lock, or is marked in its row as taken.
 */
export function jobTasks(database: DataSource, { billing, banking, mailer }: ExternalServices, log: Logger): Tasks {
  return {
    followCustomer: syncCustomerJob(database, billing, log),
    tellCustomer: updateCustomerProfile(database, billing, log),
    settleSubscription: resolvePendingSubscription(database, billing),
    takeUp: () => enqueueStaleWork(database, log),
    provisionOrganization: provisionOrganization(database),
    endPeriods: () => endDuePeriods(database),
    expireKeys: () => deleteExpiredKeys((database.driver as PostgresDriver).master),
    reconcile: () => reconcile(database),
    sendMail: sendMail(database, mailer, log),
    forgetMails: () => deleteOldMail(database),
    tendBank: syncIntegration(database, banking, log),
    keepSecrets: () => resealSecrets(database, banking),
    tidy: () => cleanUpQueue(database),
  }
}

/**
 * Has done what was begun or ordered and nobody is at, as when the process that was has died: the truth is in the tables, and
 * a job is only a doorbell. Jobs that have no row behind them, as looks at a customer, are taken from the dead.
 * @param age in seconds, of what should have been done by now
 */
export async function enqueueStaleWork(database: DataSource, log: Logger, age?: number): Promise<void> {
  await runAll(
    [
      () => release(database, log),
      enqueueStaleCustomers,
      enqueueUnresolved,
      enqueueStaleMail,
      enqueueUnprovisioned,
      enqueueStaleIntegrations,
    ],
    (again) => again(database, age),
  )
}

/** When what is done by the clock is done, in UTC; one process does it, however many there are. */
export const crontab = `
* * * * * takeUp ?jobKey=takeUp&max=1
* * * * * endPeriods ?jobKey=endPeriods&max=1
17 * * * * expireKeys ?jobKey=expireKeys&max=1
40 2 * * * reconcile ?jobKey=reconcile&max=3
45 2 * * * forgetMails ?jobKey=forgetMails&max=3
45 2 * * * keepSecrets ?jobKey=keepSecrets&max=3
50 2 * * * tidy ?jobKey=tidy&max=1
`
