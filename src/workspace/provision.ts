import type { DataSource, EntityManager } from 'typeorm'
import { Organization } from '../../entities/index.ts'
import { lockOrganizationIfExists } from '../postgres/locks.ts'
import { enqueue } from '../queue/enqueue.ts'
import { runAll } from '../queue/run-all.ts'
import { type DefaultSet, immediate, insertDefaults, later } from './defaults.ts'
import { recomputeModules } from './modules.ts'

type Progress = NonNullable<Organization['databaseStatus']>

const stand = (name: string, status: string): Progress[number] => ({
  name,
  status,
  updatedAt: new Date().toISOString(),
})

/** An organization that is about to be set up: what is not there from the beginning is pending. */
export function initialProgress(): Pick<Organization, 'status' | 'databaseStatus'> {
  return {
    status: 'provisioning',
    databaseStatus: [
      ...immediate.map((piece) => stand(piece, 'ready')),
      ...later.map((piece) => stand(piece, 'pending')),
    ],
  }
}

/** Puts up what is there from the beginning, and has the rest done once the manager's transaction is committed. */
export async function beginProvisioning(manager: EntityManager, organization: string): Promise<void> {
  for (const piece of immediate) await insertDefaults(manager, organization, piece)
  await enqueueProvisioning(manager, organization)
}

/** Has what an organization lacks put up, once the manager's transaction is committed. */
export async function enqueueProvisioning(manager: Pick<EntityManager, 'query'>, organization: string): Promise<void> {
  await enqueue(manager, 'provisionOrganization', { organization }, { key: `provision:${organization}` })
}

/**
 * Sets an organization up, piece by piece, each in a transaction of its own, so that others see how far it has come and
 * whoever takes over from one that died goes on from there. Doing it again changes nothing.
 */
export function provisionOrganization(database: DataSource) {
  return async ({ organization }: { organization: string }): Promise<void> => {
    for (const piece of [...immediate, ...later])
      await database.transaction(async (manager) => {
        const found = await lockOrganizationIfExists(manager, organization)
        const progress = found?.databaseStatus ?? []
        if (!found || !unready(found) || progress.some(({ name, status }) => name === piece && status === 'ready'))
          return
        await insertDefaults(manager, organization, piece)
        if (piece === 'modules') await recomputeModules(manager, organization)
        await manager.update(Organization, organization, { ...dated(), databaseStatus: moved(progress, piece) })
      })
    await database.transaction(async (manager) => {
      const found = await lockOrganizationIfExists(manager, organization)
      if (!found || !unready(found)) return
      // Whom the operator has suspended meanwhile is not let in by this.
      const status = found.status === 'provisioning' ? 'active' : found.status
      await manager.update(Organization, organization, { ...dated(), status, databaseStatus: null })
    })
  }
}

/**
 * Takes up the organizations whose setting up nobody is at, as when the process that was has died.
 * @param age in seconds, since anything was last heard of it
 */
export async function enqueueUnprovisioned(database: DataSource, age = 30): Promise<void> {
  const left: Organization[] = await database.query(
    `SELECT "id" FROM "organization" WHERE ("databaseStatus" IS NOT NULL OR "status" = 'provisioning')
      AND "updatedAt" <= now() - make_interval(secs => $1)`,
    [age],
  )
  await runAll(left, ({ id }) => enqueueProvisioning(database, id))
}

const unready = ({ status, databaseStatus }: Organization) => status === 'provisioning' || databaseStatus !== null

const dated = () => ({ updatedAt: new Date() })

function moved(progress: Progress, piece: DefaultSet): Progress {
  const others = progress.filter(({ name }) => name !== piece)
  return [...others, stand(piece, 'ready')].sort((one, other) => placeOf(one) - placeOf(other))
}

function placeOf({ name }: Progress[number]): number {
  return [...immediate, ...later].indexOf(name as DefaultSet)
}
