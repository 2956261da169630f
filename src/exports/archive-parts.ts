import type { EntityManager } from 'typeorm'
import { type Executor, statement } from '../hydra/index.ts'

/** The bytes of a part. Each is one row, so that neither a process nor Postgres holds a whole archive in memory. */
const partBytes = 1024 * 1024

interface Run {
  organizationId: string
  id: string
  /** The number of this attempt. */
  attempts: number
}

const readPart = statement(
  'export:part',
  `SELECT "bytes" FROM "organization_export_part"
    WHERE "organizationId" = :organization AND "exportId" = :id AND "number" = :number`,
)

/**
 * Stores an archive in parts.
 * @returns the number of its bytes
 * @throws Error where another job has started the same export meanwhile
 */
export async function storeParts(
  manager: Pick<EntityManager, 'query'>,
  { organizationId, id, attempts }: Run,
  source: AsyncIterable<Buffer>,
): Promise<number> {
  let [size, number] = [0, 0]
  for await (const bytes of inParts(source)) {
    const rows = await manager.query(
      `INSERT INTO "organization_export_part" ("organizationId", "exportId", "number", "bytes")
        SELECT $1::uuid, $2::uuid, $3::int, $4::bytea WHERE EXISTS (SELECT FROM "organization_export"
          WHERE "organizationId" = $1 AND "id" = $2 AND "status" = 'running' AND "attempts" = $5) RETURNING "number"`,
      [organizationId, id, number, bytes, attempts],
    )
    if (rows.length === 0) throw new Error('Another job has started this export.')
    number += 1
    size += bytes.length
  }
  return size
}

/** Reads the bytes of an archive, a part at a time. @throws Error where it was deleted meanwhile */
export async function* readParts(
  executor: Executor,
  { organizationId: organization, id, size }: { organizationId: string; id: string; size: number },
): AsyncGenerator<Buffer> {
  for (let [number, rest] = [0, size]; rest > 0; number++) {
    const [part] = (await readPart(executor, { organization, id, number })).rows
    if (!part) throw new Error('The archive was deleted while it was read.')
    rest -= part.bytes.length
    yield part.bytes
  }
}

export async function deleteParts(
  manager: Pick<EntityManager, 'query'>,
  { organizationId, id }: { organizationId: string; id: string },
): Promise<void> {
  await manager.query(`DELETE FROM "organization_export_part" WHERE "organizationId" = $1 AND "exportId" = $2`, [
    organizationId,
    id,
  ])
}

/** Joins chunks to parts of the same length; the last one is shorter. */
async function* inParts(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let [chunks, length] = [[] as Buffer[], 0]
  for await (const chunk of source) {
    chunks.push(chunk)
    length += chunk.length
    if (length < partBytes) continue
    const all = Buffer.concat(chunks, length)
    let start = 0
    for (; length - start >= partBytes; start += partBytes) yield all.subarray(start, start + partBytes)
    chunks = [all.subarray(start)]
    length -= start
  }
  if (length > 0) yield Buffer.concat(chunks, length)
}
