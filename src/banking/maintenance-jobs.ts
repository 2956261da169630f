import type { DataSource } from 'typeorm'
import { Integration } from '../../entities/index.ts'
import { runAll } from '../queue/run-all.ts'
import type { Banking } from './banking.ts'
import { deleteOldImportCounts } from './import/import-quota.ts'
import { enqueueSyncLater } from './sync/sync-job.ts'
import type { Secret, Vault } from './vault.ts'

/**
 * Has the links tended that are in the middle of something though nobody is at them, as when the process that was has died;
 * a sign-in that nobody has finished in time is taken back, with the consent that it may have led to.
 * @param age in seconds, since when nothing has been written to them
 */
export async function enqueueStaleIntegrations(database: DataSource, age = 30): Promise<void> {
  await database.query(
    `UPDATE "integration" SET "status" = 'revoking', "redirectUrl" = NULL, "updatedAt" = now(), "version" = "version" + 1
      WHERE "status" = 'pending' AND "expiresAt" < now() - interval '1 minute'`,
  )
  const left: Integration[] = await database.query(
    `SELECT "id" FROM "integration"
      WHERE "status" IN ('importing', 'revoking') AND "updatedAt" <= now() - make_interval(secs => $1)`,
    [age],
  )
  await runAll(left, ({ id }) => enqueueSyncLater(database, id))
}

/**
 * Seals anew what is sealed with a key that is to be taken away, and forgets which imports were made days ago.
 * @throws an Error, at its end, if some of it does not open
 */
export async function resealSecrets(database: DataSource, { vault }: Banking): Promise<void> {
  const links = await database.manager
    .createQueryBuilder(Integration, 'link')
    .select(['link.id', 'link.organizationId', 'link.sealedAccess', 'link.sealedSession'])
    .where('link."sealedAccess" IS NOT NULL OR link."sealedSession" IS NOT NULL')
    .getMany()
  await deleteOldImportCounts(database.manager)
  await runAll(links, (link) => renew(database, vault, link))
}

async function renew(database: DataSource, vault: Vault, link: Integration): Promise<void> {
  for (const [secret, column] of Object.entries(columns) as [Secret, (typeof columns)[Secret]][]) {
    const renewed = vault.renewed(secret, link[column], link)
    if (renewed)
      await database.query(`UPDATE "integration" SET "${column}" = $1 WHERE "id" = $2 AND "${column}" = $3`, [
        renewed,
        link.id,
        link[column],
      ])
  }
}

const columns = { access: 'sealedAccess', session: 'sealedSession' } as const
