import type { DataSource, EntityManager } from 'typeorm'
import { OrganizationExport } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'
import { enqueue } from '../queue/enqueue.ts'
import { runAll } from '../queue/run-all.ts'
import { deleteParts } from './archive-parts.ts'

type Key = Pick<OrganizationExport, 'organizationId' | 'id'>

/** Enqueues the job of an export in the manager's transaction. @param after the seconds until it may start */
export function enqueueExport(
  manager: Pick<EntityManager, 'query'>,
  { organizationId, id }: Key,
  after = 0,
): Promise<void> {
  return enqueue(manager, 'exportOrganization', { organizationId, id }, { after, key: `export:${id}` })
}

/** Writes new values of an export, and its change for the streams. */
export async function writeExport(
  manager: EntityManager,
  { organizationId, id }: Key,
  values: Partial<Pick<OrganizationExport, 'status' | 'progress' | 'size' | 'finishedAt' | 'expiresAt' | 'attempts'>>,
): Promise<void> {
  const changes = { ...values, updatedAt: new Date(), version: () => '"version" + 1' }
  await writeRows(
    manager,
    manager.createQueryBuilder().update(OrganizationExport).set(changes).where({ organizationId, id }),
  )
}

/**
 * Re-enqueues exports without a live job, for example after a crash.
 * @param age the least time without progress, in seconds
 */
export async function enqueueStaleExports(database: DataSource, age = 60): Promise<void> {
  const stale: Key[] = await database.query(
    `SELECT "organizationId", "id" FROM "organization_export"
      WHERE "status" IN ('pending', 'running') AND "updatedAt" <= now() - make_interval(secs => $1)`,
    [age],
  )
  await runAll(stale, (one) => enqueueExport(database, one))
}

/** Deletes exports whose time is over, with their archives. */
export async function deleteExpiredExports(database: DataSource): Promise<void> {
  const expired: Key[] = await database.query(
    `SELECT "organizationId", "id" FROM "organization_export" WHERE "expiresAt" <= now()`,
  )
  await runAll(expired, ({ organizationId, id }) =>
    database.transaction(async (manager) => {
      await deleteParts(manager, { organizationId, id })
      const rows = manager.createQueryBuilder().delete().from(OrganizationExport).where({ organizationId, id })
      await writeRows(manager, rows)
    }),
  )
}
