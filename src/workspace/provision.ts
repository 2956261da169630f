import type { DataSource, EntityManager } from 'typeorm'
import { Organization } from '../../entities/index.ts'
import { tellCustomer } from '../billing/enqueue-customer-profile.ts'
import { writeRows } from '../hydra/index.ts'
import { lockOrganizationIfExists } from '../postgres/locks.ts'
import { enqueue } from '../queue/enqueue.ts'
import { runAll } from '../queue/run-all.ts'
import { type DefaultSet, initialSets, insertDefaults, provisionedSets } from './defaults.ts'
import { recomputeModules } from './modules.ts'

type Progress = NonNullable<Organization['databaseStatus']>

const progressOf = (name: string, status: string): Progress[number] => ({
  name,
  status,
  updatedAt: new Date().toISOString(),
})

/** The status of a new organization: the sets that a job inserts are pending. */
export function initialProgress(): Pick<Organization, 'status' | 'databaseStatus'> {
  return {
    status: 'provisioning',
    databaseStatus: [
      ...initialSets.map((set) => progressOf(set, 'ready')),
      ...provisionedSets.map((set) => progressOf(set, 'pending')),
    ],
  }
}

/** Inserts the initial sets, and enqueues the job for the others in the manager's transaction. */
export async function beginProvisioning(manager: EntityManager, organization: string): Promise<void> {
  for (const set of initialSets) await insertDefaults(manager, organization, set)
  await enqueueProvisioning(manager, organization)
}

/** Enqueues the job that inserts missing defaults, in the manager's transaction. */
export async function enqueueProvisioning(manager: Pick<EntityManager, 'query'>, organization: string): Promise<void> {
  await enqueue(manager, 'provisionOrganization', { organization }, { key: `provision:${organization}` })
}

/**
 * Inserts the defaults of an organization, one transaction a set, so that clients see the progress. A job that is retried after a
 * crash continues from there. Running it again changes nothing.
 */
export function provisionOrganization(database: DataSource) {
  return async ({ organization }: { organization: string }): Promise<void> => {
    for (const set of [...initialSets, ...provisionedSets])
      await database.transaction(async (manager) => {
        const found = await lockOrganizationIfExists(manager, organization)
        const progress = found?.databaseStatus ?? []
        if (
          !found ||
          !isUnprovisioned(found) ||
          progress.some(({ name, status }) => name === set && status === 'ready')
        )
          return
        await insertDefaults(manager, organization, set)
        if (set === 'modules') await recomputeModules(manager, organization)
        if (set === 'configuration') await tellCustomer(manager, organization)
        await updateOrganization(manager, organization, { databaseStatus: withReady(progress, set) })
      })
    await database.transaction(async (manager) => {
      const found = await lockOrganizationIfExists(manager, organization)
      if (!found || !isUnprovisioned(found)) return
      // The operator may have suspended the organization in the meantime; it stays suspended.
      const status = found.status === 'provisioning' ? 'active' : found.status
      await updateOrganization(manager, organization, { status, databaseStatus: null })
    })
  }
}

/**
 * Re-enqueues the provisioning of organizations without a live job, for example after a crash.
 * @param ageSeconds the minimum time since the last progress
 */
export async function enqueueUnprovisioned(database: DataSource, ageSeconds = 30): Promise<void> {
  const unprovisioned: Organization[] = await database.query(
    `SELECT "id" FROM "organization" WHERE ("databaseStatus" IS NOT NULL OR "status" = 'provisioning')
      AND "updatedAt" <= now() - make_interval(secs => $1)`,
    [ageSeconds],
  )
  await runAll(unprovisioned, ({ id }) => enqueueProvisioning(database, id))
}

const isUnprovisioned = ({ status, databaseStatus }: Organization) =>
  status === 'provisioning' || databaseStatus !== null

async function updateOrganization(
  manager: EntityManager,
  id: string,
  values: Partial<Pick<Organization, 'status' | 'databaseStatus'>>,
): Promise<void> {
  const changes = { ...values, updatedAt: new Date() }
  await writeRows(manager, manager.createQueryBuilder().update(Organization).set(changes).where({ id }))
}

function withReady(progress: Progress, set: DefaultSet): Progress {
  const others = progress.filter(({ name }) => name !== set)
  return [...others, progressOf(set, 'ready')].sort((a, b) => positionOf(a) - positionOf(b))
}

function positionOf({ name }: Progress[number]): number {
  return [...initialSets, ...provisionedSets].indexOf(name as DefaultSet)
}
