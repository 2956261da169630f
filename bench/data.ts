import type { DataSource } from 'typeorm'
import { Employee, Meeting } from '../entities/index.ts'
import { localIssuer, type OwnIssuer } from '../src/access/token-issuer-keys.ts'
import { counted } from '../test/support/rows/counted-rows.ts'
import { insertFor, tenantsOf } from '../test/support/tenants.ts'

/** An organization with its owner's token. */
export interface BenchTenant {
  organization: string
  authorization: string
  employees: string[]
  meetings: string[]
}

/** The number of rows of an organization. */
export interface TenantSize {
  employees: number
  meetings: number
}

/** Founds an organization of each size. Each employee has a share of the meetings. */
export async function foundTenants(
  database: DataSource,
  issuer: OwnIssuer,
  name: string,
  sizes: TenantSize[],
): Promise<BenchTenant[]> {
  const founded = await database.transaction(async (manager) => {
    const { foundTenant } = tenantsOf(manager, localIssuer)
    const made: { organization: string; owner: string; employees: string[] }[] = []
    for (const [number, size] of sizes.entries()) {
      const { organization, users } = await foundTenant(`Bench ${name} ${number}`, `bench-${name}-${number}`)
      const employees: string[] = []
      for (let index = 0; index < size.employees; index++) {
        const { id } = await insertFor(manager, organization, Employee, { name: `Employee ${index}` })
        employees.push(id)
      }
      made.push({ organization: organization.id, owner: users.owner.subject, employees })
    }
    return made
  })
  const signed: BenchTenant[] = []
  for (const [number, { organization, owner, employees }] of founded.entries()) {
    await addMeetings(database, organization, sizes[number].meetings, employees)
    signed.push({
      organization,
      employees,
      authorization: `Bearer ${await issuer.sign({ sub: owner })}`,
      meetings: await firstMeetings(database, organization),
    })
  }
  await database.query('VACUUM ANALYZE')
  return signed
}

/** Adds meetings to an organization. One in ten has notes, one in four an agreed time. */
async function addMeetings(
  database: DataSource,
  organization: string,
  count: number,
  employees: string[],
): Promise<void> {
  await database.query(
    counted(
      database,
      'meeting',
      `INSERT INTO "meeting" ("id", "createdAt", "updatedAt", "version", "organizationId", "employeeId", "dateFrom", "dateTo", "notes", "time")
      SELECT (lpad(to_hex(1767225600000 + n), 12, '0') || '7' || substr(md5($1::text || n), 1, 3) || 'a' || substr(md5(n || $1::text), 1, 15))::uuid,
        now(), now(), 1, $1::uuid, ($3::uuid[])[1 + n % cardinality($3::uuid[])], "from", "from" + interval '2 hours',
        CASE WHEN n % 10 = 0 THEN 'Onderhoud ' || n END, CASE WHEN n % 4 = 0 THEN "from" + interval '30 minutes' END
      FROM (SELECT n, timestamptz '2026-01-05Z' + n % 9999 * interval '1 hour' AS "from" FROM generate_series(1, $2::int) n) AS made`,
    ),
    [organization, count, employees],
  )
}

async function firstMeetings(database: DataSource, organizationId: string): Promise<string[]> {
  const found = await database.manager.find(Meeting, {
    select: { id: true },
    where: { organizationId },
    order: { id: 'ASC' },
    take: 200,
  })
  return found.map(({ id }) => id)
}
