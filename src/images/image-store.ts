import type { Image } from '../../entities/index.ts'
import { type Executor, statement } from '../hydra/index.ts'

export const findImage = statement('image:find', 'SELECT "type", "bytes" FROM "image" WHERE "id" = :id')

/** Locks the row of an image that is there already, as a write of it would. */
const put = statement(
  'image:put',
  `INSERT INTO "image" ("id", "type", "width", "height", "bytes") VALUES (:id, :type, :width, :height, :bytes)
    ON CONFLICT ("id") DO UPDATE SET "type" = EXCLUDED."type"`,
)

const hold = statement('image:hold', 'SELECT FROM "image" WHERE "id" = :id FOR UPDATE')

const dropUnused = statement(
  'image:drop',
  `DELETE FROM "image" WHERE "id" = :id
    AND NOT EXISTS (SELECT FROM "organization" WHERE "logoId" = :id OR "iconId" = :id)`,
)

/**
 * Puts an image in the place of another, which goes when nobody uses it any more; within a transaction.
 * Whoever begins or ends to use an image holds its row until it commits, so none goes that somebody is about to use,
 * and of two who let go of one at once the second sees that it is free. Rows are held in the order of their ids, so
 * that nobody waits in a circle.
 */
export async function replaceImage(
  executor: Executor,
  image: Image,
  former: string | null,
  pointAt: () => Promise<unknown>,
): Promise<void> {
  for (const id of [image.id, former].filter((id) => id !== null).sort())
    await (id === image.id ? put(executor, { ...image }) : hold(executor, { id }))
  await pointAt()
  if (former) await dropUnused(executor, { id: former })
}

/** Drops images that an organization no longer points at, unless another one does; within the transaction that let go of them. */
export async function deleteUnusedImage(executor: Executor, formers: string[]): Promise<void> {
  const ids = [...new Set(formers)].sort()
  for (const id of ids) await hold(executor, { id })
  for (const id of ids) await dropUnused(executor, { id })
}
