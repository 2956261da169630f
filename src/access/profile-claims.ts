import type { DataSource } from 'typeorm'
import { OrganizationUser, User } from '../../entities/index.ts'
import { isMemberAddress } from '../../entities/user.ts'
import { tellCustomersOf } from '../billing/enqueue-customer-profile.ts'
import { writeRows } from '../hydra/index.ts'
import { lockEmailAddress } from '../postgres/locks.ts'
import type { BearerToken } from './bearer-token.ts'

/** A user's name and address, and the issue time of the token that last changed them. */
export interface Profile {
  name: string
  email: string | null
  claimsAt: Date | null
}

/** Whether a token is newer than the profile and has another name or address. */
export function isOutdatedBy({ issuedAt, name, email }: BearerToken, profile: Profile): boolean {
  if (issuedAt === undefined || issuedAt * 1000 <= (profile.claimsAt?.getTime() ?? 0)) return false
  return (name ?? profile.name) !== profile.name || (email ?? profile.email) !== profile.email
}

/**
 * Updates a user from the claims of a newer token. Memberships with the user's former name get the new name; a name from an
 * invitation stays. An address that another member of one of the user's organizations has is not stored. A new address of an owner is
 * sent to Stripe.
 */
export async function applyProfile(
  database: DataSource,
  { issuer, subject, issuedAt, name, email }: BearerToken,
): Promise<void> {
  await database.transaction(async (manager) => {
    if (email) await lockEmailAddress(manager, email)
    const [user]: User[] = await manager.query(
      `SELECT "id", "name", "email" FROM "user" WHERE "issuer" = $1 AND "subject" = $2
         AND ("claimsAt" IS NULL OR "claimsAt" < to_timestamp($3)) FOR UPDATE`,
      [issuer, subject, issuedAt],
    )
    if (!user) return
    const { id, name: former } = user
    await writeRows(
      manager,
      User,
      `UPDATE "user" SET "name" = coalesce(:name, "name"), "claimsAt" = to_timestamp(:issuedAt),
           "email" = CASE WHEN :email::text IS NULL OR EXISTS (
             SELECT FROM "organization_user" "own" WHERE "own"."userId" = "user"."id"
               AND ${isMemberAddress(':email', '"own"."organizationId"', '"user"."id"')}) THEN "user"."email" ELSE :email END,
           "updatedAt" = now(), "version" = "version" + 1
         WHERE "id" = :id`,
      { id, issuedAt, name: name ?? null, email: email ?? null },
    )
    if (name !== undefined && name !== former)
      await writeRows(
        manager,
        OrganizationUser,
        `UPDATE "organization_user" SET "name" = :name, "updatedAt" = now(), "version" = "version" + 1
           WHERE "userId" = :id AND "name" = :former`,
        { id, name, former },
      )
    const [written]: User[] = await manager.query(`SELECT "email" FROM "user" WHERE "id" = $1`, [id])
    if (written.email !== user.email) await tellCustomersOf(manager, id)
  })
}
