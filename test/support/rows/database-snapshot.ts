import { openWorld } from '../world.ts'

const { database } = await openWorld()

/** Every table with its number of rows and a digest of its content: equal when nothing has been written. */
export async function snapshot(): Promise<Record<string, string>> {
  const counted = database.entityMetadatas.map(
    ({ tableName }) =>
      `SELECT '${tableName}' AS name, count(*) || ' ' || md5(string_agg(t::text, '' ORDER BY t::text)) AS held FROM "${tableName}" t`,
  )
  const found: { name: string; held: string }[] = await database.query(counted.join(' UNION ALL '))
  return Object.fromEntries(found.map(({ name, held }) => [name, held]))
}
