import type { DataSource, EntityManager } from 'typeorm'
import { type Employee, Meeting } from '../../entities/index.ts'
import { writeRows } from '../hydra/index.ts'
import { enqueue } from '../queue/enqueue.ts'

interface Erased {
  organization: string
  employee: string
}

/** Enqueues the job that empties the notes of an erased employee's meetings. @returns false where there are none */
export async function enqueueNotes(
  manager: EntityManager,
  { organizationId: organization, id: employee }: Employee,
): Promise<boolean> {
  const [{ found }] = await manager.query(
    `SELECT EXISTS (SELECT FROM "meeting" WHERE "organizationId" = $1 AND "employeeId" = $2 AND "notes" IS NOT NULL) AS "found"`,
    [organization, employee],
  )
  if (found) await enqueue(manager, 'eraseNotes', { organization, employee }, { key: `eraseNotes:${employee}` })
  return found
}

/** Rows a transaction: few enough that no other request waits long for them. */
const batchSize = 2000

/** The job that empties the notes in short transactions. It can run again, so one that dies continues where it stopped. */
export function eraseNotes(database: DataSource) {
  return async ({ organization, employee }: Erased): Promise<void> => {
    for (let rows = batchSize; rows === batchSize; )
      rows = await database.transaction((manager) =>
        writeRows(
          manager,
          Meeting,
          `UPDATE "meeting" SET "notes" = NULL, "updatedAt" = now(), "version" = "version" + 1
            WHERE "organizationId" = :organization AND "id" IN (SELECT "id" FROM "meeting"
              WHERE "organizationId" = :organization AND "employeeId" = :employee AND "notes" IS NOT NULL
              ORDER BY "id" LIMIT ${batchSize})`,
          { organization, employee },
        ),
      )
  }
}
