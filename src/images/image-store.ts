import type { Image } from '../../entities/index.ts'
import { type Executor, statement, TenantScope } from '../hydra/index.ts'

export const findImage = statement('image:find', 'SELECT "type", "bytes" FROM "image" WHERE "id" = :id')

/** The update of an existing image changes nothing; it locks the row. */
const upsertImage = statement(
  'image:put',
  `INSERT INTO "image" ("id", "type", "width", "height", "bytes") VALUES (:id, :type, :width, :height, :bytes)
    ON CONFLICT ("id") DO UPDATE SET "type" = EXCLUDED."type"`,
)

const lockImage = statement('image:hold', 'SELECT FROM "image" WHERE "id" = :id FOR UPDATE')

const deleteIfUnused = statement(
  'image:drop',
  `DELETE FROM "image" WHERE "id" = :id
    AND NOT EXISTS (SELECT FROM "organization" WHERE "logoId" = :id OR "iconId" = :id)`,
  { tenants: TenantScope.every },
)

/**
 * Replaces an image within a transaction, and deletes the previous one if no organization uses it.
 * A transaction that starts or stops using an image locks its row until the commit. So an image that is about to be used is not
 * deleted, and the second of two simultaneous removals sees that it is unused. Locking in the order of ids prevents deadlocks.
 * @param updateReference stores the reference to the new image
 */
export async function replaceImage(
  executor: Executor,
  image: Image,
  previous: string | null,
  updateReference: () => Promise<unknown>,
): Promise<void> {
  for (const id of [image.id, previous].filter((id) => id !== null).sort())
    await (id === image.id ? upsertImage(executor, { ...image }) : lockImage(executor, { id }))
  await updateReference()
  if (previous) await deleteIfUnused(executor, { id: previous })
}

/** Deletes images that no organization uses any more, within the transaction that removed their reference. */
export async function deleteUnusedImage(executor: Executor, imageIds: string[]): Promise<void> {
  const ids = [...new Set(imageIds)].sort()
  for (const id of ids) await lockImage(executor, { id })
  for (const id of ids) await deleteIfUnused(executor, { id })
}
