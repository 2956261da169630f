import type { DataSource, EntityManager } from 'typeorm'
import { Organization, OrganizationModule } from '../../entities/index.ts'
import { catalogue } from '../../entities/organization-module.ts'
import { changesBetween, record } from '../audit/audit-log.ts'
import { lockOrganization, lockSubscriptions } from '../postgres/locks.ts'

/** What the operator wants of a module: on, off, or as the subscription has it. */
export type ModuleOverride = 'on' | 'off' | 'auto'

/** Has the modules of an organization computed anew from its live subscription, all that the operator has no say in. */
export async function recomputeModules(manager: EntityManager, organizationId: string): Promise<void> {
  await manager.query(
    `UPDATE "subscription" SET "version" = "version"
      WHERE "organizationId" = $1 AND "status" NOT IN ('canceled', 'incomplete_expired')`,
    [organizationId],
  )
}

/**
 * Gives or takes a module, whatever is subscribed to, or leaves it to the subscription again; and records that in the audit log.
 * @throws an Error with a sentence where there is no such organization or module
 */
export async function overrideModule(
  database: DataSource,
  { slug, name, wish, limit = null }: { slug: string; name: string; wish: ModuleOverride; limit?: number | null },
): Promise<OrganizationModule> {
  return database.transaction(async (manager) => {
    const organization = await manager.findOneBy(Organization, { slug })
    if (!organization) throw new Error(`There is no organization with the slug "${slug}".`)
    const its = { organizationId: organization.id, name }
    await lockSubscriptions(manager, organization.id)
    await lockOrganization(manager, organization.id)
    const before = await manager.findOneBy(OrganizationModule, its)
    if (!before) throw new Error(`There is no module "${name}" yet: there are ${catalogue.join(', ')}.`)
    const source = wish === 'auto' ? null : ('operator' as const)
    await manager.update(OrganizationModule, its, { enabled: wish === 'on', source, limit, updatedAt: new Date() })
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
