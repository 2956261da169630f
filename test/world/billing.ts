import { pino } from 'pino'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { type Organization, OrganizationAddress } from '../../entities/index.ts'
import { besides } from '../../ormconfig.ts'
import { survive } from '../../src/database.ts'
import { crontab, tasks } from '../../src/jobs.ts'
import { concurrency, startQueue } from '../../src/queue/queue.ts'
import { type Agent, as, database, ending, foundTenant, given, outside, type Tenant } from './index.ts'

/** The connections of what is done in the background. */
export const background = await besides(database, concurrency + 4).initialize()
survive(background)

const log = pino({ level: 'silent' })

/** What is done in the background, to be done by hand. */
export const jobs = tasks(background, outside, log) as Record<string, (payload?: object) => Promise<void>>

/** Has jobs done as the server does. */
export async function startJobs(): Promise<void> {
  const { master: pool } = background.driver as PostgresDriver
  const queue = await startQueue({ pool, tasks: tasks(background, outside, log), crontab, log })
  ending.unshift(queue.stop)
}

ending.push(() => background.destroy())

/** An organization that is billed through Stripe, with a billing address. */
export interface Customer {
  tenant: Tenant
  api: Agent
  address: OrganizationAddress
}

let customers = 0

export async function stripeCustomer(values: Partial<Organization> = {}): Promise<Customer> {
  customers += 1
  const tenant = await foundTenant('Payer', `payer-${customers}`, { manualBilling: false, ...values })
  const street = {
    kind: 'billing',
    name: 'Payer',
    street: 'Damrak',
    houseNumber: '1',
    city: 'Amsterdam',
    countryId: 'NL',
  }
  const address = await given(OrganizationAddress, { organizationId: tenant.organization.id, ...street })
  return { tenant, api: as(tenant.users.owner), address }
}

/** The same with a card of the local Stripe's, such as `pm_card_visa`, under its IRI. */
export async function payingCustomer(token = 'pm_card_visa'): Promise<Customer & { card: string }> {
  const customer = await stripeCustomer()
  const { body } = await customer.api.post('/payment-methods', { externalId: token })
  return { ...customer, card: body['@id'] }
}

/** Asks until the answer is as it should be, and fails with the last answer after a while. */
export async function eventually<T>(ask: () => Promise<T>, expected: (answer: T) => void, seconds = 10): Promise<void> {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const answer = await ask()
    try {
      expected(answer)
      return
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}
