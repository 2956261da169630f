import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { deleteExpiredSessions } from '../access/session/session-rows.ts'
import type { Banking } from '../banking/banking.ts'
import { enqueueStaleIntegrations, resealSecrets } from '../banking/maintenance-jobs.ts'
import { syncIntegration } from '../banking/sync/sync-job.ts'
import type { Billing } from '../billing/billing.ts'
import { updateCustomerProfile } from '../billing/customer-profile.ts'
import { endDuePeriods } from '../billing/end-periods.ts'
import { enqueueUnresolved, resolvePendingSubscription } from '../billing/resolve-pending-subscription.ts'
import { reconcile } from '../billing/sync/reconcile.ts'
import { syncCustomerJob } from '../billing/sync/sync-customer-job.ts'
import { deleteOldEvents } from '../billing/webhooks/old-events.ts'
import { enqueueStaleCustomers } from '../billing/webhooks/replay-events.ts'
import { deleteOrganization, enqueueDeletions } from '../closing/delete-organization.ts'
import { endBilling, enqueueUnendedBilling } from '../closing/end-billing.ts'
import { eraseNotes } from '../erasure/erase-notes.ts'
import { type ExportSource, exportOrganization } from '../exports/export-job.ts'
import { deleteExpiredExports, enqueueStaleExports } from '../exports/export-rows.ts'
import { Api, TenantScope } from '../hydra/index.ts'
import type { Mailer } from '../mail/mailer.ts'
import { deleteOldMail, enqueueStaleMail } from '../mail/outbox.ts'
import { sendMail } from '../mail/send-mail-job.ts'
import { cleanUpQueue } from '../queue/cleanup.ts'
import { retryAbandonedJobs } from '../queue/job-locks.ts'
import type { Tasks } from '../queue/queue.ts'
import { runAll } from '../queue/run-all.ts'
import { disableFailingEndpoints } from '../webhooks/disable-failing.ts'
import {
  deleteFormerSecrets,
  deleteOldDeliveries,
  enqueueStaleDeliveries,
  resealWebhookSecrets,
} from '../webhooks/maintenance-jobs.ts'
import { WebhookSender } from '../webhooks/sender.ts'
import type { Webhooks } from '../webhooks/settings.ts'
import { enqueueUnprovisioned, provisionOrganization } from '../workspace/provision.ts'
import { correctTotals } from './correct-totals.ts'

/** The services that jobs use beside the database. */
export interface ExternalServices {
  billing: Billing
  banking: Banking
  mailer: Mailer
  /** Opens the data of exports through a DataSource. */
  exportSource(database: DataSource): ExportSource
  webhooks: Webhooks
}

/**
 * The background jobs by their names in the queue. A job may run twice at once: it is restarted when its process has been silent
 * for a minute. Work that must not run twice takes a lock or marks its row as claimed.
 */
export function jobTasks(
  database: DataSource,
  { billing, banking, mailer, exportSource, webhooks }: ExternalServices,
  log: Logger,
  sender = new WebhookSender(database, webhooks, log),
): Tasks {
  const everywhere = TenantScope.every.view(database)
  const { master } = database.driver as PostgresDriver
  return {
    followCustomer: withinTenant(database, 'customer', (own) => syncCustomerJob(own, billing, log)),
    tellCustomer: withinTenant(database, 'organization', (own) => updateCustomerProfile(own, billing, log)),
    settleSubscription: withinTenant(database, 'organization', (own) => resolvePendingSubscription(own, billing)),
    takeUp: () => enqueueStaleWork(database, log),
    provisionOrganization: withinTenant(database, 'organization', provisionOrganization),
    endPeriods: () => endDuePeriods(everywhere),
    expireRows: () => Api.deleteExpired(master),
    expireSessions: () => deleteExpiredSessions(master),
    reconcile: () => reconcile(everywhere),
    sendMail: withinTenant(database, 'mail', (own) => sendMail(own, mailer, log)),
    forgetMails: () => deleteOldMail(everywhere),
    forgetEvents: () => deleteOldEvents(everywhere),
    tendBank: withinTenant(database, 'integration', (own) => syncIntegration(own, banking, log)),
    sendWebhooks: sender.offer,
    tendWebhooks: () => runAll([deleteOldDeliveries, disableFailingEndpoints], (tend) => tend(everywhere)),
    keepSecrets: () =>
      runAll(
        [
          () => resealSecrets(everywhere, banking),
          () => deleteFormerSecrets(everywhere),
          () => resealWebhookSecrets(everywhere, webhooks),
        ],
        (keep) => keep(),
      ),
    exportOrganization: exportOrganization(database, exportSource, log),
    expireExports: () => deleteExpiredExports(everywhere),
    endBilling: withinTenant(database, 'organization', (own) => endBilling(own, billing)),
    eraseNotes: withinTenant(database, 'organization', eraseNotes),
    deleteClosed: () => enqueueDeletions(everywhere),
    deleteOrganization: withinTenant(database, 'organization', (own) => deleteOrganization(own, billing)),
    tidy: () => cleanUpQueue(database),
    correctTotals: () => correctTotals(everywhere, log),
  }
}

/** The organization of the row that a job's payload names. A row that is gone has none, and then the job finds no row. */
const tenantOf = {
  customer: `SELECT "id" FROM "organization" WHERE "stripeCustomerId" = $1`,
  mail: `SELECT "organizationId" AS "id" FROM "outgoing_mail" WHERE "id" = $1`,
  integration: `SELECT "organizationId" AS "id" FROM "integration" WHERE "id" = $1`,
}

/** A job for one tenant: its statements touch the rows of that tenant only. */
function withinTenant<P>(
  database: DataSource,
  member: keyof typeof tenantOf | 'organization',
  task: (own: DataSource) => (payload: P) => Promise<void>,
): (payload: P) => Promise<void> {
  const everywhere = TenantScope.every.view(database)
  return async (payload) => {
    const named = (payload as Record<string, string>)[member]
    const [found] = member === 'organization' ? [{ id: named }] : await everywhere.query(tenantOf[member], [named])
    await task(TenantScope.of(found?.id ?? null).view(database))(payload)
  }
}

/**
 * Re-enqueues work that is pending in the tables but has no live job, for example after a crash. Jobs without a row in a table,
 * such as a customer's sync, are released from dead processes.
 * @param age the least age of such work, in seconds
 */
export async function enqueueStaleWork(database: DataSource, log: Logger, age?: number): Promise<void> {
  const everywhere = TenantScope.every.view(database)
  await runAll(
    [
      () => retryAbandonedJobs(everywhere, log),
      enqueueStaleCustomers,
      enqueueUnresolved,
      enqueueStaleMail,
      enqueueStaleDeliveries,
      enqueueUnprovisioned,
      enqueueStaleIntegrations,
      enqueueStaleExports,
      enqueueUnendedBilling,
    ],
    (enqueueStale) => enqueueStale(everywhere, age),
  )
}

/** The schedule of jobs, in UTC. Each runs in one process, however many servers there are. */
export const crontab = `
* * * * * takeUp ?jobKey=takeUp&max=1
* * * * * endPeriods ?jobKey=endPeriods&max=1
*/5 * * * * expireRows ?jobKey=expireRows&max=1
19 * * * * expireSessions ?jobKey=expireSessions&max=1
29 * * * * expireExports ?jobKey=expireExports&max=1
39 * * * * deleteClosed ?jobKey=deleteClosed&max=1
40 2 * * * reconcile ?jobKey=reconcile&max=3
45 2 * * * forgetMails ?jobKey=forgetMails&max=3
45 2 * * * forgetEvents ?jobKey=forgetEvents&max=3
45 2 * * * tendWebhooks ?jobKey=tendWebhooks&max=3
45 2 * * * keepSecrets ?jobKey=keepSecrets&max=3
50 2 * * * tidy ?jobKey=tidy&max=1
55 2 * * * correctTotals ?jobKey=correctTotals&max=3
`
