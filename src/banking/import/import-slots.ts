import type { EntityManager } from 'typeorm'

/** Seconds after which a place is free again though nobody has left it, as when the process that had it has died. */
const lease = 60

/** Takes one of the eight places that all imports of all tenants share, or keeps the one that is held; tells whether there is one. */
export async function takeSlot(manager: EntityManager, integration: string): Promise<boolean> {
  const until = `now() + interval '${lease} seconds'`
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
