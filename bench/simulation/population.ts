import Stripe from 'stripe'
import type { DataSource } from 'typeorm'
import type { OwnIssuer } from '../../src/access/token-issuer-keys.ts'
import type { LocalStripe } from '../../src/emulators/stripe/server.ts'
import { type BenchTenant, foundTenants, type TenantSize } from '../data.ts'

/** Meetings of the largest organization. The one of rank n has n^0.9 times fewer, and none has fewer than the least. */
const mostMeetings = 20_000
const leastMeetings = 20
const exponent = 0.9
/** An employee has about 150 meetings, and an organization has 2 to 60 employees. */
const meetingsEach = 150
const [leastEmployees, mostEmployees] = [2, 60]

/** The sizes of organizations by a power law: a few are large, most are small. */
export function powerLaw(tenants: number): TenantSize[] {
  return Array.from({ length: tenants }, (_, index) => {
    const meetings = Math.max(leastMeetings, Math.round(mostMeetings / (index + 1) ** exponent))
    const employees = Math.min(mostEmployees, Math.max(leastEmployees, Math.round(meetings / meetingsEach)))
    return { employees, meetings }
  })
}

/** The organizations of a simulation, with customers of Stripe for the largest. */
export interface Population {
  tenants: BenchTenant[]
  employees: number
  /** The ids of the customers. */
  customers: string[]
}

/** Founds the organizations. The largest hundred are customers of Stripe. */
export async function populate(
  database: DataSource,
  issuer: OwnIssuer,
  stripe: LocalStripe,
  tenants: number,
): Promise<Population> {
  const sizes = powerLaw(tenants)
  const founded = await foundTenants(database, issuer, 'simulated', sizes)
  const { hostname, port } = new URL(stripe.url)
  const client = new Stripe(stripe.secretKey, { host: hostname, port, protocol: 'http', telemetry: false })
  const customers: string[] = []
  for (const { organization } of founded.slice(0, 100)) {
    const { id } = await client.customers.create({ metadata: { organization } })
    await database.query('UPDATE "organization" SET "manualBilling" = false, "stripeCustomerId" = $2 WHERE "id" = $1', [
      organization,
      id,
    ])
    customers.push(id)
  }
  return { tenants: founded, employees: sizes.reduce((sum, size) => sum + size.employees, 0), customers }
}
