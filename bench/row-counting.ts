import pg from 'pg'
import type { DataSource } from 'typeorm'
import { v7 as uuid } from 'uuid'
import { counted } from '../test/support/rows/counted-rows.ts'

/** Adds meetings to an organization. One in ten has notes. */
export async function addMeetings(database: DataSource, organization: string, count: number): Promise<void> {
  await database.query(
    counted(
      database,
      'meeting',
      `INSERT INTO "meeting" ("id", "createdAt", "updatedAt", "version", "organizationId", "dateFrom", "dateTo", "notes")
      SELECT (lpad(to_hex(1767225600000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || 'a' || substr(md5(n || 'x'), 1, 15))::uuid,
        now(), now(), 1, $1::uuid, "from", "from" + interval '2 hours', CASE WHEN n % 10 = 0 THEN 'Onderhoud ' || n END
      FROM (SELECT n, timestamptz '2026-01-05Z' + n % 9999 * interval '1 hour' AS "from" FROM generate_series(1, $2::int) n) AS made`,
    ),
    [organization, count],
  )
  await database.query('VACUUM ANALYZE "meeting"')
}

const writers = 16
const insertsEach = 120

/** The ratios of the time that sixteen writers take with row counting to the time without it, one a round. */
export async function rowCountingRatios(url: string, organization: string, rounds: number): Promise<number[]> {
  const pool = new pg.Pool({ connectionString: url, max: writers })
  const insert = `INSERT INTO "meeting" ("id", "organizationId", "createdAt", "updatedAt", "version", "dateFrom", "dateTo")
    VALUES ($1, $2, now(), now(), 1, '2026-06-01T08:00Z', '2026-06-01T09:00Z')`
  const texts = {
    plain: insert,
    counted: `WITH "counted" AS (INSERT INTO "row_total" VALUES ('meeting', $2, 1)) ${insert}`,
  }
  const write = async (name: keyof typeof texts) => {
    for (let count = 0; count < insertsEach; count++)
      await pool.query({ name, text: texts[name], values: [uuid(), organization] })
  }
  const timed = async (isCounted: boolean) => {
    const start = performance.now()
    await Promise.all(Array.from({ length: writers }, () => write(isCounted ? 'counted' : 'plain')))
    return performance.now() - start
  }
  const ratios: number[] = []
  await timed(true)
  for (let round = 0; round < rounds; round++) {
    const [first, second] = [await timed(round % 2 === 0), await timed(round % 2 === 1)]
    ratios.push(round % 2 === 0 ? first / second : second / first)
  }
  await pool.end()
  return ratios
}
