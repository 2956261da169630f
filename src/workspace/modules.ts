import type { DataSource, EntityManager } from 'typeorm'
import { Organization, OrganizationModule } from '../../entities/index.ts'
import { catalogue } from '../../entities/organization-module.ts'
import { changesBetween, record } from '../audit/audit-log.ts'
import { findLiveSubscription } from '../billing/live-subscription.ts'
import { writeRows } from '../hydra/index.ts'
import { lockOrganization } from '../postgres/locks.ts'

/** The operator's decision about a module: on, off, or as the subscription says. */
export type ModuleOverride = 'on' | 'off' | 'auto'

/** Sets the modules by the live subscription. The caller holds the organization's lock. */
export async function recomputeModules(manager: EntityManager, organizationId: string): Promise<void> {
  const live = await findLiveSubscription(manager, organizationId)
  await setGrantedModules(manager, organizationId, live?.grantedModules ?? [])
}

/**
 * Turns on the modules that the live subscription grants, and turns off the others. Modules that the operator overrides stay
 * unchanged. The caller holds the organization's lock.
 */
export async function setGrantedModules(
  manager: EntityManager,
  organizationId: string,
  granted: string[],
): Promise<void> {
  await writeRows(
    manager,
    OrganizationModule,
    `UPDATE "organization_module" SET "enabled" = "name" = ANY (:granted),
        "source" = CASE WHEN "name" = ANY (:granted) THEN 'subscription' END, "updatedAt" = :now, "version" = "version" + 1
      WHERE "organizationId" = :organizationId AND "source" IS DISTINCT FROM 'operator'
        AND "enabled" <> ("name" = ANY (:granted))`,
    { organizationId, granted, now: new Date() },
  )
}

/**
 * Turns a module on or off regardless of the subscription, or returns it to the subscription; writes an audit event.
 * @throws Error when no such organization or module exists
 */
export async function overrideModule(
  database: DataSource,
  { slug, name, wish, limit = null }: { slug: string; name: string; wish: ModuleOverride; limit?: number | null },
): Promise<OrganizationModule> {
  return database.transaction(async (manager) => {
    const organization = await manager.findOneBy(Organization, { slug })
    if (!organization) throw new Error(`There is no organization with the slug "${slug}".`)
    const its = { organizationId: organization.id, name }
    await lockOrganization(manager, organization.id)
    const before = await manager.findOneBy(OrganizationModule, its)
    if (!before) throw new Error(`There is no module "${name}" yet: there are ${catalogue.join(', ')}.`)
    const source = wish === 'auto' ? null : ('operator' as const)
    const values = { enabled: wish === 'on', source, limit, updatedAt: new Date() }
    await writeRows(manager, manager.createQueryBuilder().update(OrganizationModule).set(values).where(its))
    await recomputeModules(manager, organization.id)
    const after = await manager.findOneByOrFail(OrganizationModule, its)
    await record({
      by: { manager, tenant: organization.id },
      action: 'organizationModule.override',
      target: `/organization-modules/${after.id}`,
      changes: changesBetween(manager, before, after),
    })
    return after
  })
}
