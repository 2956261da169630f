import { randomBytes } from 'node:crypto'
import { type AuditEvent, Organization, OrganizationUser } from '../../../entities/index.ts'
import { reservedSlugs, slugOf } from '../../../entities/organization.ts'
import type { Callers } from '../../access/callers.ts'
import { ensureUser, tokenActsFor } from '../../access/membership.ts'
import { defaultMaxOwned, requireFewerOwned } from '../../access/owned-organizations.ts'
import type { Role } from '../../access/roles.ts'
import { changesBetween, record } from '../../audit/audit-log.ts'
import type { Billing } from '../../billing/billing.ts'
import { completeSwitch, requireNoStripeSubscription } from '../../billing/billing-switch.ts'
import { tellCustomer } from '../../billing/enqueue-customer-profile.ts'
import { enqueueCustomerSync } from '../../billing/sync/sync-customer-job.ts'
import {
  type Call,
  createEntity,
  createOperation,
  type Operation,
  Problem,
  TenantScope,
  updateOperation,
  type Violation,
} from '../../hydra/index.ts'
import { deleteUnusedImage } from '../../images/image-store.ts'
import { beginProvisioning, enqueueProvisioning, initialProgress } from '../../workspace/provision.ts'

/** @param maxOwned how many organizations one user may own; closed ones do not count */
export const create = (callers: Callers, maxOwned = defaultMaxOwned): Operation<Organization> => ({
  ...createOperation<Organization>({}),
  sensitive: 'hour',
  writes: writableBy(['guest', 'member', 'admin', 'owner'], ['name', 'type', 'slug']),
  description:
    'The caller becomes its owner. Without "slug" the server derives one from the name; a slug cannot be changed later. ' +
    '"status" is "provisioning" until a job has created the defaults that "databaseStatus" lists as pending. The ' +
    `organization can be used at once. 409 refuses a caller who owns ${maxOwned} organizations that are not closed.`,
  async handle(call) {
    const blank = Object.assign(createEntity(Organization), initialProgress())
    const draft = await call.read(blank, false, async (draft) => {
      if (draft.slug === undefined && typeof draft.name === 'string') draft.slug = await freeSlug(call, draft.name)
      return []
    })
    return call.unitOfWork.transaction(async () => {
      await insertOrganization(call, draft, maxOwned)
      call.unitOfWork.after(() => callers.forget())
      return draft
    })
  },
})

/** Admins and owners change the name and remove images; the operator changes billing, guards and the status. */
export const update = (callers: Callers, billing: Billing): Operation<Organization> => ({
  ...updateOperation<Organization>({ writes, prepare: prepare(billing), alsoWrite: along(callers) }),
  clears: {
    logo: 'is changed by an upload to /organizations/logo; only null, which removes it, can be sent here',
    icon: 'is changed by an upload to /organizations/icon; only null, which removes it, can be sent here',
  },
  description:
    'While "status" is "suspended" or "closed", members can read everything as before. They can pay, cancel the ' +
    'subscription and leave; every other change is refused with 403. "active" reopens the organization; "provisioning" ' +
    'creates missing defaults. Billing can be switched only without a live subscription.',
})

const writes = {
  ...writableBy(['admin', 'owner'], ['name', 'logo', 'icon']),
  ...writableBy(['operator'], ['manualBilling', 'demo', 'productionLike', 'status', 'stripeCustomerId']),
}

const prepare =
  (billing: Billing) =>
  async (draft: Organization, call: Call<Organization>): Promise<Violation[]> => {
    const { id, manualBilling, stripeCustomerId } = draft
    const { role, tenant } = call.caller
    if (role !== 'operator' && tenant !== id)
      throw new Problem(
        403,
        'This is not the organization you act for: send a token whose claim "organization" names it.',
      )
    if (manualBilling && stripeCustomerId !== null) {
      const message = 'stripeCustomerId must be null while manualBilling is true.'
      return [{ propertyPath: 'stripeCustomerId', message, code: 'isManual' }]
    }
    if (role === 'operator') await requireNoStripeSubscription(call, billing, draft)
    if (draft.deletedAt) throw new Problem(409, 'The organization was deleted, and cannot be changed.')
    draft.settle()
    return []
  }

const along =
  (callers: Callers) =>
  async (call: Call<Organization>, after: Organization, before = after): Promise<void> => {
    const { id, status } = after
    const { logoId, iconId, ...changes } = changesBetween(call.manager, before, after)
    await deleteUnusedImage(
      call.unitOfWork.executor,
      [logoId, iconId].flatMap((change) => (change ? [change[0] as string] : [])),
    )
    if (logoId) changes.logo = [before.logo, null]
    if (iconId) changes.icon = [before.icon, null]
    await completeSwitch(call, before, after)
    const by = { manager: call.manager, tenant: id, caller: call.caller }
    await record({ by, action: 'organization.update', target: `/organizations/${id}`, changes })
    const [, customer] = changes.stripeCustomerId ?? []
    if (typeof customer === 'string') await enqueueCustomerSync(call.manager, customer)
    if (changes.name) await tellCustomer(call.manager, id)
    if (status === before.status) return
    if (status === 'provisioning') await enqueueProvisioning(call.manager, id)
    call.unitOfWork.after(() => callers.forget())
  }

/** Inserts an organization with its owner and defaults. The response is written for the caller's new role. */
async function insertOrganization(call: Call<Organization>, organization: Organization, maxOwned: number) {
  const user = await ensureUser(call)
  const member = Object.assign(new OrganizationUser(), { userId: user.id, name: user.name, role: 'owner' })
  const { id, name, type, slug } = organization
  call.unitOfWork.admit(id)
  await call.unitOfWork.insert(organization)
  await call.unitOfWork.insert(Object.assign(member, { organizationId: id }))
  await beginProvisioning(call.manager, id)
  const changes = { name: [null, name], type: [null, type], slug: [null, slug] } as AuditEvent['changes']
  const by = { manager: call.manager, tenant: id, caller: { user: user.id } }
  await record({ by, action: 'organization.create', target: `/organizations/${id}`, changes })
  await requireFewerOwned(call.manager, user.id, maxOwned)
  call.request.answeredAs = { role: 'owner', tenant: id }
  if (await tokenActsFor(call, user.id, id)) {
    call.caller = { ...call.caller, role: 'owner', user: user.id, tenant: id }
    Object.assign(organization, await call.get(Organization, id))
  }
}

async function freeSlug(call: Call<Organization>, name: string): Promise<string> {
  const slug = slugOf(name)
  const isTaken = () => TenantScope.every.run(call.manager, (manager) => manager.existsBy(Organization, { slug }))
  if (!reservedSlugs.includes(slug) && !(await isTaken())) return slug
  return `${slug.slice(0, 54).replace(/-$/, '')}-${randomBytes(4).toString('hex')}`
}

function writableBy(roles: Role[], names: string[]): Record<string, Role[]> {
  return Object.fromEntries(names.map((name) => [name, roles]))
}
