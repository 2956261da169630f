import type { EntityManager } from 'typeorm'

/** The email addresses of the active owners of an organization. */
export async function ownerAddresses(manager: EntityManager, organizationId: string): Promise<string[]> {
  const owners: { email: string }[] = await manager.query(
    `SELECT DISTINCT "user"."email" FROM "organization_user" "member" JOIN "user" ON "user"."id" = "member"."userId"
      WHERE "member"."organizationId" = $1 AND "member"."role" = 'owner' AND "member"."status" = 'active'
        AND "user"."email" IS NOT NULL ORDER BY 1`,
    [organizationId],
  )
  return owners.map(({ email }) => email)
}
