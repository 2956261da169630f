import type { EntityManager } from 'typeorm'

/** After this time a slot is free again whose process has died. */
const leaseSeconds = 60

/** Takes one of the eight slots that all imports of all tenants share, or renews the own one. @returns whether it has a slot */
export async function takeSlot(manager: EntityManager, integration: string): Promise<boolean> {
  const until = `now() + interval '${leaseSeconds} seconds'`
  const [, kept] = await manager.query(`UPDATE "bank_slot" SET "until" = ${until} WHERE "integrationId" = $1`, [
    integration,
  ])
  if (kept > 0) return true
  const [, taken] = await manager.query(
    `UPDATE "bank_slot" SET "integrationId" = $1, "until" = ${until} WHERE "slot" =
      (SELECT "slot" FROM "bank_slot" WHERE "until" < now() ORDER BY "slot" LIMIT 1 FOR UPDATE SKIP LOCKED)`,
    [integration],
  )
  return taken > 0
}

export async function releaseSlot(manager: EntityManager, integration: string): Promise<void> {
  await manager.query(
    `UPDATE "bank_slot" SET "integrationId" = NULL, "until" = '-infinity' WHERE "integrationId" = $1`,
    [integration],
  )
}
