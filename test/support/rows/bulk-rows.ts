import { BankAccount, Integration, type User } from '../../../entities/index.ts'
import { openWorld } from '../world.ts'
import { counted } from './counted-rows.ts'

const { database, given, person } = await openWorld()

/** The columns that every row has; `n` numbers the rows, `$1` is the organization and `$2` how many rows there are. */
const common = '"id", "createdAt", "updatedAt", "version", "organizationId"'
const shared = `(lpad(to_hex(1767225600000 + n), 12, '0') || '7' || substr(md5(n || $1), 1, 3) || 'a' || substr(md5($1 || n), 1, 15))::uuid,
  timestamptz '2026-01-01Z' + n * interval '1 minute', now(), 1, $1::uuid`

const words = `(ARRAY['onderhoud', 'ketel', 'Łódź', 'storing', 'Zoë', 'lekkage', 'offerte', 'a', 'de', 'Straße', 'dak', 'pomp'])`
const word = (step: number) => `${words}[1 + (n * ${step} / 7) % 12]`
const text = `'Owner ' || n || ' ' || ${word(5)} || ' ' || ${word(11)} || ' ' || md5(n::text)`

const fills: Record<string, [columns: string, values: string]> = {
  location: [
    '"name", "officeOpenHour", "officeCloseHour"',
    `${text}, CASE WHEN n % 3 > 0 THEN n % 12 END, CASE WHEN n % 3 > 0 THEN 12 + n % 12 END`,
  ],
  employee: [
    '"name", "email", "jobTitle", "active", "userId"',
    `${text}, 'e' || n || '@example.com', ${word(3)}, n % 4 > 0, CASE WHEN n % 50 = 0 THEN $3::uuid END`,
  ],
  meeting: [
    '"employeeId", "dateFrom", "dateTo", "time", "notes"',
    `CASE WHEN n % 20 = 0 THEN (SELECT "id" FROM "employee" WHERE "organizationId" = $1::uuid LIMIT 1) END,
      timestamptz '2026-01-01Z' + n % 30000 * interval '1 hour', timestamptz '2026-01-01Z' + n % 30000 * interval '1 hour' + interval '2 hours',
      CASE WHEN n % 10 = 0 THEN timestamptz '2026-01-01Z' + n % 30000 * interval '1 hour' + interval '1 hour' END,
      CASE WHEN n % 5 > 0 THEN ${text} END`,
  ],
  bank_transaction: [
    '"accountId", "bookedOn", "transactionOn", "amount", "currency", "party", "text", "kind", "status"',
    `$4::uuid, CASE WHEN n % 50 > 0 THEN date '2020-01-01' + n % 2000 END, date '2020-01-01' + n % 2000, (n % 40000)::numeric / 100 - 200,
      (ARRAY['EUR', 'PLN'])[1 + n % 2], 'Party ' || ${word(5)} || ' ' || n % 977, ${text}, (ARRAY['card', 'transfer', 'fee'])[1 + n % 3], (ARRAY['DONE', 'PENDING'])[1 + (n % 50 = 0)::int]`,
  ],
  audit_event: [
    '"actorId", "action", "target", "at", "changes"',
    `CASE WHEN n % 3 > 0 THEN $3::uuid END, (ARRAY['meeting.update', 'employee.create'])[1 + n % 2], '/meetings/' || n % 5000,
      timestamptz '2026-01-01Z' + n * interval '1 minute', '{"notes": ["a", "b"]}'`,
  ],
}

/** Gives an organization so many rows of each of the tables, as years of work leave them. */
export async function crowd(organizationId: string, many: number, tables = Object.keys(fills)): Promise<void> {
  const user: User = await person(`crowd-${organizationId}`)
  const integration = await given(Integration, { organizationId, status: 'active' })
  const account = await given(BankAccount, { organizationId, integration, reference: 'crowd', name: 'Current' })
  const runner = database.createQueryRunner()
  try {
    await runner.startTransaction()
    // GIN indexes take in many rows at once far faster than one by one.
    await runner.query(`SET statement_timeout = 0; SET work_mem = '256MB'; SET maintenance_work_mem = '256MB';
      SET gin_pending_list_limit = '1GB'`)
    const client = await runner.connect()
    const values = [organizationId, many, user.id, account.id]
    for (const table of tables) {
      const [columns, made] = fills[table]
      await client.query({
        text: counted(
          database,
          table,
          `INSERT INTO "${table}" (${common}, ${columns}) SELECT ${shared}, ${made}
            FROM generate_series(1, $2::int) n WHERE $3::uuid IS NOT NULL AND $4::uuid IS NOT NULL`,
        ),
        values,
        query_timeout: 300_000,
      })
    }
    await runner.commitTransaction()
    for (const table of tables) await client.query({ text: `VACUUM ANALYZE "${table}"`, query_timeout: 300_000 })
    await client.query(
      'RESET statement_timeout; RESET work_mem; RESET maintenance_work_mem; RESET gin_pending_list_limit',
    )
  } finally {
    await runner.release()
  }
}
