import type { DataSource } from 'typeorm'
import { isMemberAddress } from '../../entities/user.ts'
import { tellCustomersOf } from '../billing/enqueue-customer-profile.ts'
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
    const [user] = await manager.query(
      `WITH "former" AS (
         SELECT "id", "name", "email" FROM "user" WHERE "issuer" = $1 AND "subject" = $2
           AND ("claimsAt" IS NULL OR "claimsAt" < to_timestamp($3)) FOR UPDATE
       ), "changed" AS (
         UPDATE "user" SET "name" = coalesce($4, "user"."name"), "claimsAt" = to_timestamp($3),
           "email" = CASE WHEN $5::text IS NULL OR EXISTS (
             SELECT FROM "organization_user" "own" WHERE "own"."userId" = "user"."id"
               AND ${isMemberAddress('$5', '"own"."organizationId"', '"user"."id"')}) THEN "user"."email" ELSE $5 END,
           "updatedAt" = now(), "version" = "user"."version" + 1
         FROM "former" WHERE "user"."id" = "former"."id"
         RETURNING "user"."id", "user"."name", "former"."name" AS "former",
           "user"."email" IS DISTINCT FROM "former"."email" AS "hasNewEmail"
       ), "renamed" AS (
         UPDATE "organization_user" "own" SET "name" = "changed"."name", "updatedAt" = now(), "version" = "own"."version" + 1
           FROM "changed" WHERE "own"."userId" = "changed"."id" AND "own"."name" = "changed"."former"
             AND "changed"."name" <> "changed"."former"
       )
       SELECT "id", "hasNewEmail" FROM "changed"`,
      [issuer, subject, issuedAt, name ?? null, email ?? null],
    )
    if (user?.hasNewEmail) await tellCustomersOf(manager, user.id)
  })
}
