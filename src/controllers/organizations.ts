import { randomBytes } from 'node:crypto'
import {
  Language,
  MailFooter,
  Organization,
  OrganizationConfig,
  OrganizationModule,
  OrganizationUser,
} from '../../entities/index.ts'
import { reserved, slugOf } from '../../entities/organization.ts'
import { catalogue } from '../../entities/organization-module.ts'
import { settings } from '../../entities/settings.ts'
import type { Callers, Identity } from '../access/callers.ts'
import type { Call } from '../hydra/call.ts'
import type { Role } from '../hydra/caller.ts'
import { creating, updating } from '../hydra/crud.ts'
import { make } from '../hydra/entity.ts'
import type { Operation } from '../hydra/operation.ts'
import { Problem } from '../hydra/problem.ts'
import { userOf } from './users.ts'

const managers: Role[] = ['admin', 'owner']
const operator: Role[] = ['operator']

/** Anybody who is signed in may found an organization, and owns it then. */
export const create = (callers: Callers): Operation<Organization> => ({
  ...creating<Organization>({}),
  writes: everyone('name', 'type', 'slug'),
  description: 'The caller becomes its owner. Without a slug one is made from the name; it cannot be changed later.',
  async handle(call) {
    const read = await call.read(make(Organization), false, async (draft) => {
      if (draft.slug === undefined && typeof draft.name === 'string') draft.slug = await freeSlug(call, draft.name)
      return []
    })
    return call.transaction(async () => {
      await found(call, read)
      call.after(() => callers.forget())
      return read
    })
  },
})

/** Its people change its name, the operator what the operator alone may. */
export const update = updating<Organization>({
  writes: {
    name: managers,
    ...Object.fromEntries(
      ['manualBilling', 'demo', 'productionLike', 'status', 'stripeCustomerId'].map((name) => [name, operator]),
    ),
  },
  prepare({ id, manualBilling, stripeCustomerId }, { caller }) {
    if (caller.role !== 'operator' && caller.organization !== id)
      throw new Problem(
        403,
        'This is not the organization you act for: send a token whose claim "organization" names it.',
      )
    if (!manualBilling || stripeCustomerId === null) return []
    const message = 'stripeCustomerId must be null where billing is by hand.'
    return [{ propertyPath: 'stripeCustomerId', message, code: 'isManual' }]
  },
})

/** Writes a new organization with everything that one always has. */
async function found(call: Call<Organization>, organization: Organization): Promise<void> {
  const { bearer } = call.caller as Identity
  const user = await userOf(call)
  const member = Object.assign(new OrganizationUser(), { userId: user.id, name: user.name, role: 'owner' })
  const owned = (entities: object[]) =>
    entities.map((entity) => Object.assign(entity, { organizationId: organization.id }))
  await call.insert(organization)
  for (const entity of owned([member, new MailFooter(), ...furnishings()])) await call.insert(entity)
  const acts =
    !call.caller.organization &&
    !bearer?.organization &&
    (await call.manager.countBy(OrganizationUser, { userId: user.id, status: 'active' })) === 1
  if (acts) {
    call.caller = { role: 'owner', user: user.id, organization: organization.id, bearer } as Identity
    await call.get(Organization, organization.id).then((whole) => Object.assign(organization, whole))
  }
}

/** The languages, settings and modules that an organization starts with. */
export function furnishings(): object[] {
  return [
    ...['nl', 'en'].map((id) => Object.assign(new Language(), { id })),
    ...Object.entries(settings).map(([key, setting]) =>
      Object.assign(new OrganizationConfig(), { key, value: setting.default }),
    ),
    ...catalogue.map((name) => Object.assign(new OrganizationModule(), { name })),
  ]
}

async function freeSlug(call: Call<Organization>, name: string): Promise<string> {
  const slug = slugOf(name)
  const free = !reserved.includes(slug) && !(await call.manager.existsBy(Organization, { slug }))
  if (free) return slug
  return `${slug.slice(0, 54).replace(/-$/, '')}-${randomBytes(4).toString('hex')}`
}

function everyone(...names: string[]): Record<string, Role[]> {
  return Object.fromEntries(names.map((name) => [name, ['guest', 'member', 'admin', 'owner', 'operator']]))
}
