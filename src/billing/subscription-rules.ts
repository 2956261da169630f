import { IsNull, MoreThan } from 'typeorm'
import {
  OrganizationAddress,
  OrganizationUser,
  OrganizationUserInvitation,
  type Subscription,
} from '../../entities/index.ts'
import { isMemberAddress } from '../../entities/user.ts'
import { type Call, ConstraintViolation, type Violation } from '../hydra/index.ts'
import { lockOrganization } from '../postgres/locks.ts'

/** Fills in what was left out, and says what is wrong with what was not. */
export async function applyDefaults(draft: Subscription, call: Call): Promise<Violation[]> {
  if (draft.organization === null) return []
  if (draft.organizationId !== call.tenant)
    return [
      { propertyPath: 'organization', message: 'organization must be the one that you act for.', code: 'isCurrent' },
    ]
  if (draft.seats === undefined) draft.seats = await countTakenSeats(call)
  if (draft.organizationAddress) return checkSeats(draft, call)
  const addresses = await call.manager.find(OrganizationAddress, {
    where: { organizationId: call.tenant, kind: 'billing' },
    take: 2,
  })
  if (addresses.length === 1) {
    draft.organizationAddressId = addresses[0].id
    return checkSeats(draft, call)
  }
  const reason = addresses.length === 0 ? 'there is no billing address yet' : 'there are several billing addresses'
  return [
    {
      propertyPath: 'organizationAddress',
      message: `organizationAddress must be given, as ${reason}.`,
      code: 'isNotEmpty',
    },
    ...(await checkSeats(draft, call)),
  ]
}

/** More people than seats cannot be: members sit, and whoever is invited may come. */
export async function checkSeats({ seats }: Subscription, call: Call): Promise<Violation[]> {
  const taken = await countTakenSeats(call)
  if (typeof seats !== 'number' || seats < 1 || seats >= taken) return []
  return [
    {
      propertyPath: 'seats',
      message: `seats must be at least ${taken}: so many members and pending invitations there are.`,
      code: 'min',
    },
  ]
}

/** Once more, with nobody let in meanwhile: whoever invites holds the organization, too. */
export async function requireSeats(call: Call, subscription: Subscription): Promise<void> {
  await lockOrganization(call.manager, call.tenant)
  const violations = await checkSeats(subscription, call)
  if (violations.length > 0) throw new ConstraintViolation(violations)
}

/** How many seats are taken: by members, and by invitations that may still be accepted by a person who is not a member yet. */
export async function countTakenSeats({ manager, tenant: organizationId }: Call): Promise<number> {
  const pending = await manager
    .createQueryBuilder(OrganizationUserInvitation, 'invitation')
    .where({ organizationId, acceptedAt: IsNull(), revokedAt: IsNull(), expiresAt: MoreThan(new Date()) })
    .andWhere(`NOT ${isMemberAddress('"invitation"."email"', '"invitation"."organizationId"', 'NULL')}`)
    .getCount()
  return pending + (await manager.countBy(OrganizationUser, { organizationId }))
}
