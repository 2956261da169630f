import type { DataSource } from 'typeorm'
import { Integration } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'
import { runAll } from '../queue/run-all.ts'
import type { Banking } from './banking.ts'
import { deleteOldImportCounts } from './import/import-quota.ts'
import { enqueueSyncLater } from './sync/sync-job.ts'
import type { Secret, Vault } from './vault.ts'

/**
 * Re-enqueues imports and revocations whose job has died. Revokes sign-ins that were not finished in time, because a person may
 * have given a consent at the bank.
 * @param age how many seconds ago the row was last written, at least
 */
export async function enqueueStaleIntegrations(database: DataSource, age = 30): Promise<void> {
  await writeRows(
    database.manager,
    Integration,
    `UPDATE "integration" SET "status" = 'revoking', "redirectUrl" = NULL, "updatedAt" = now(), "version" = "version" + 1
      WHERE "status" = 'pending' AND "expiresAt" < now() - interval '1 minute'`,
    {},
  )
  const stale: Integration[] = await database.query(
    `SELECT "id" FROM "integration"
      WHERE "status" IN ('importing', 'revoking') AND "updatedAt" <= now() - make_interval(secs => $1)`,
    [age],
  )
  await runAll(stale, ({ id }) => enqueueSyncLater(database, id))
}

/**
 * Encrypts secrets with the first key where they use another one, which may then be removed. Deletes old counts of imports.
 * @throws an Error, after the last row, if a secret could not be decrypted
 */
export async function resealSecrets(database: DataSource, { vault }: Banking): Promise<void> {
  const integrations = await database.manager
    .createQueryBuilder(Integration, 'integration')
    .select(['integration.id', 'integration.organizationId', 'integration.sealedAccess', 'integration.sealedSession'])
    .where('integration."sealedAccess" IS NOT NULL OR integration."sealedSession" IS NOT NULL')
    .getMany()
  await deleteOldImportCounts(database.manager)
  await runAll(integrations, (integration) => reseal(database, vault, integration))
}

async function reseal(database: DataSource, vault: Vault, integration: Integration): Promise<void> {
  for (const [secret, column] of Object.entries(columns) as [Secret, (typeof columns)[Secret]][]) {
    const resealed = vault.reseal(secret, integration[column], integration)
    if (resealed)
      await database.query(
        `UPDATE "integration" SET "${column}" = $1 WHERE "organizationId" = $2 AND "id" = $3 AND "${column}" = $4`,
        [resealed, integration.organizationId, integration.id, integration[column]],
      )
  }
}

const columns = { access: 'sealedAccess', session: 'sealedSession' } as const
