import pg from 'pg'
import { v7 as uuid } from 'uuid'

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
