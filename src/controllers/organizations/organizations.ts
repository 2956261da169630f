import { randomBytes } from 'node:crypto'
import { type AuditEvent, Organization, OrganizationUser } from '../../../entities/index.ts'
import { reservedSlugs, slugOf } from '../../../entities/organization.ts'
import type { Callers } from '../../access/callers.ts'
import type { Role } from '../../access/roles.ts'
import { changesBetween, record } from '../../audit/audit-log.ts'
import type { Billing } from '../../billing/billing.ts'
import { completeSwitch, requireNoStripeSubscription } from '../../billing/billing-switch.ts'
import { enqueueCustomerSync } from '../../billing/sync/sync-customer-job.ts'
import {
  type Call,
  createEntity,
  createOperation,
  type Operation,
  Problem,
  updateOperation,
  type Violation,
} from '../../hydra/index.ts'
import { deleteUnusedImage } from '../../images/image-store.ts'
import { lockUser } from '../../postgres/locks.ts'
import { beginProvisioning, enqueueProvisioning, unprovisioned } from '../../workspace/provision.ts'
import { actsFor, userOf } from '../users.ts'

const managers: Role[] = ['admin', 'owner']
const operator: Role[] = ['operator']

/** Enough for a person with several companies; each organization costs rows, jobs and a customer at Stripe. */
const ownable = 10

/** Each signed-in user may found an organization and becomes its owner, up to a number of organizations. */
export const create = (callers: Callers, most = ownable): Operation<Organization> => ({
  ...createOperation<Organization>({}),
  sensitive: 'hour',
  writes: everyone('name', 'type', 'slug'),
  description:
    'The caller becomes its owner. Without a slug one is made from the name; it cannot be changed later. Its "status" is ' +
    '"provisioning" for a moment, while a job puts up what "databaseStatus" lists as pending; it can be worked with from ' +
    `the first moment on. 409 says that the caller owns ${most} organizations that are not closed, which is the limit.`,
  async handle(call) {
    const blank = Object.assign(createEntity(Organization), unprovisioned())
    const read = await call.read(blank, false, async (draft) => {
      if (draft.slug === undefined && typeof draft.name === 'string') draft.slug = await freeSlug(call, draft.name)
      return []
    })
    return call.transaction(async () => {
      await found(call, read, most)
      call.after(() => callers.forget())
      return read
    })
  },
})

/** Its people change its name, the operator what the operator alone may. */
export const update = (callers: Callers, billing: Billing): Operation<Organization> => ({
  ...updateOperation<Organization>({ writes, prepare: prepare(billing), alsoWrite: along(callers) }),
  clears: {
    logo: 'is changed by an upload to /organizations/logo; only null, which removes it, can be sent here',
    icon: 'is changed by an upload to /organizations/icon; only null, which removes it, can be sent here',
  },
  description:
    'While its status is "suspended" or "closed" its people read all they could, and change nothing (403) but how they ' +
    'pay; "active" opens it again, and "provisioning" has whatever it lacks put up anew. How it is billed can be changed ' +
    'while it has no live subscription.',
})
const writes = {
  ...Object.fromEntries(['name', 'logo', 'icon'].map((name) => [name, managers])),
  ...Object.fromEntries(
    ['manualBilling', 'demo', 'productionLike', 'status', 'stripeCustomerId'].map((name) => [name, operator]),
  ),
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
      const message = 'stripeCustomerId must be null where billing is by hand.'
      return [{ propertyPath: 'stripeCustomerId', message, code: 'isManual' }]
    }
    if (role === 'operator') await requireNoStripeSubscription(call, billing, draft)
    return []
  }

const along =
  (callers: Callers) =>
  async (call: Call<Organization>, after: Organization, before = after): Promise<void> => {
    const { id, status } = after
    const { logoId, iconId, ...changes } = changesBetween(call.manager, before, after)
    await deleteUnusedImage(
      call.executor,
      [logoId, iconId].flatMap((change) => (change ? [change[0] as string] : [])),
    )
    if (logoId) changes.logo = [before.logo, null]
    if (iconId) changes.icon = [before.icon, null]
    await completeSwitch(call, before, after)
    const by = { manager: call.manager, tenant: id, caller: call.caller }
    await record({ by, action: 'organization.update', target: `/organizations/${id}`, changes })
    const [, customer] = changes.stripeCustomerId ?? []
    if (typeof customer === 'string') await enqueueCustomerSync(call.manager, customer)
    if (status === before.status) return
    if (status === 'provisioning') await enqueueProvisioning(call.manager, id)
    call.after(() => callers.forget())
  }

/** Writes a new organization with everything that one always has. */
async function found(call: Call<Organization>, organization: Organization, most: number): Promise<void> {
  const user = await userOf(call)
  const member = Object.assign(new OrganizationUser(), { userId: user.id, name: user.name, role: 'owner' })
  const { id, name, type, slug } = organization
  await call.insert(organization)
  await call.insert(Object.assign(member, { organizationId: id }))
  await beginProvisioning(call.manager, id)
  const changes = { name: [null, name], type: [null, type], slug: [null, slug] } as AuditEvent['changes']
  const by = { manager: call.manager, tenant: id, caller: { user: user.id } }
  await record({ by, action: 'organization.create', target: `/organizations/${id}`, changes })
  await requireWithin(call, user.id, most)
  call.answeredAs = { role: 'owner', tenant: id }
  if (await actsFor(call, user.id, id)) {
    call.caller = { ...call.caller, role: 'owner', user: user.id, tenant: id }
    await call.get(Organization, organization.id).then((whole) => Object.assign(organization, whole))
  }
}

/** Counts last and under a lock on the user's row, so each of simultaneous requests sees the others and waits for a moment only. */
async function requireWithin({ manager }: Call, userId: string, most: number): Promise<void> {
  await lockUser(manager, userId)
  const owned = await manager
    .createQueryBuilder(OrganizationUser, 'member')
    .innerJoin(Organization, 'organization', 'organization.id = member.organizationId')
    .where(`member.userId = :userId AND member.role = 'owner' AND organization.status <> 'closed'`, { userId })
    .getCount()
  if (owned <= most) return
  const remedy = 'leave one to another owner, or ask the operator to close one'
  throw new Problem(409, `You own ${owned - 1} organizations, and ${most} is the limit: ${remedy}.`)
}

async function freeSlug(call: Call<Organization>, name: string): Promise<string> {
  const slug = slugOf(name)
  const free = !reservedSlugs.includes(slug) && !(await call.manager.existsBy(Organization, { slug }))
  if (free) return slug
  return `${slug.slice(0, 54).replace(/-$/, '')}-${randomBytes(4).toString('hex')}`
}

function everyone(...names: string[]): Record<string, Role[]> {
  return Object.fromEntries(names.map((name) => [name, ['guest', 'member', 'admin', 'owner']]))
}
