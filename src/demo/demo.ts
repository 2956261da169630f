import type { DataSource } from 'typeorm'
import { Identified } from '../../entities/identified.ts'
import {
  Employee,
  Language,
  Location,
  MailFooter,
  Meeting,
  Organization,
  OrganizationAddress,
  OrganizationUser,
  Subscription,
  User,
} from '../../entities/index.ts'
import type { OwnIssuer } from '../access/token-issuer-keys.ts'
import type { Billing } from '../billing/billing.ts'
import { enqueueProfileUpdate } from '../billing/customer-profile.ts'
import { attachPaymentMethod, makeDefaultPaymentMethod } from '../billing/stripe/attach-payment-method.ts'
import { customerOf } from '../billing/stripe/customers.ts'
import { enqueueCustomerSync } from '../billing/sync/sync-customer-job.ts'
import { exampleId } from '../hydra/documentation/json-schema.ts'
import { insertRow } from '../hydra/store/write-row.ts'
import { defaultSets } from '../workspace/defaults.ts'

/** The people of the demo, one for every role there is. */
export const people = {
  owner: { subject: 'demo-owner', name: 'Olga Owner' },
  admin: { subject: 'demo-admin', name: 'Adam Admin' },
  member: { subject: 'demo-member', name: 'Mia Member' },
  operator: { subject: 'demo-operator', name: 'Otto Operator' },
} as const

export type Person = keyof typeof people

/** The organization that the people of the demo belong to from the start. */
const home = { name: 'Van Dijk Installatietechniek', slug: 'van-dijk' }

/**
 * A token for one of the people of the demo. It names the organization it acts for, since a person may belong to several: the
 * one of the slug, or else the demo's. The operator belongs to none.
 */
export async function tokenFor(
  database: DataSource,
  issuer: OwnIssuer,
  person: Person,
  slug?: string,
): Promise<string> {
  const { subject: sub, name } = people[person]
  if (person === 'operator') {
    if (slug) throw new Error('The operator acts for no organization: leave out --organization.')
    return issuer.sign({ sub, name })
  }
  const organization = await database.manager.findOneBy(Organization, { slug: slug ?? home.slug })
  if (slug && !organization) throw new Error(`There is no organization with the slug "${slug}".`)
  return issuer.sign({ sub, name, organization: organization?.id })
}

/** Fills an empty database with a lively organization, and with another that must never be seen from it; once. */
export async function seedDemo(
  database: DataSource,
  issuer: string,
  { manualBilling }: Pick<Organization, 'manualBilling'>,
): Promise<boolean> {
  return database.transaction(async (manager) => {
    await manager.query(`SELECT pg_advisory_xact_lock(7305812)`)
    if (await manager.existsBy(Organization, { demo: true })) return false
    const begun = new Set<unknown>()
    const write = async <E extends object>(entity: E, values: Partial<E>): Promise<E> => {
      // The first row of each class is the one that the examples of the reference name.
      const id = entity instanceof Identified && !begun.has(entity.constructor) ? { id: exampleId } : {}
      begun.add(entity.constructor)
      await insertRow(manager, Object.assign(entity, id, values))
      return entity
    }
    const users: User[] = []
    for (const [role, person] of Object.entries(people))
      users.push(
        await write(new User(), {
          ...person,
          issuer,
          email: `${person.subject}@demo.example`,
          operator: role === 'operator',
        }),
      )
    await furnish(write, { ...home, manualBilling }, users.slice(0, 3), 120)
    const stranger = await write(new User(), { issuer, subject: 'demo-stranger', name: 'Sam Stranger' })
    await furnish(write, { name: 'Elders Schoonmaak', slug: 'elders', manualBilling }, [stranger], 5)
    return true
  })
}

type Write = <E extends object>(entity: E, values: Partial<E>) => Promise<E>

async function furnish(
  write: Write,
  { name, slug, manualBilling }: Pick<Organization, 'name' | 'slug' | 'manualBilling'>,
  members: User[],
  meetings: number,
): Promise<void> {
  const organization = await write(new Organization(), { name, slug, demo: true, productionLike: false, manualBilling })
  const own = { organizationId: organization.id }
  for (const piece of defaultSets())
    await write(piece, piece instanceof MailFooter ? { ...own, mailFooter: closing(name) } : own)
  await write(new Language(), { ...own, id: 'de' })
  const roles = ['owner', 'admin', 'member'] as const
  for (const [index, user] of members.entries())
    await write(new OrganizationUser(), { ...own, userId: user.id, name: user.name, role: roles[index] })
  const employees = await employ(write, own, members)
  await plan(write, own, employees, meetings)
  const billed = await address(write, own, name)
  const running = { seats: employees.length, modules: ['planning', 'banking'], organizationAddressId: billed.id }
  if (manualBilling)
    await write(new Subscription(), {
      ...own,
      ...running,
      status: 'active',
      confirmedAt: new Date(Date.UTC(2026, 0, 1)),
    })
}

const closing = (name: string) => `<p>Met vriendelijke groet,<br /><strong>${name}</strong></p>`

async function employ(write: Write, own: { organizationId: string }, members: User[]): Promise<Employee[]> {
  const amsterdam = await write(new Location(), { ...own, name: 'Amsterdam', officeOpenHour: 8, officeCloseHour: 18 })
  const utrecht = await write(new Location(), { ...own, name: 'Utrecht', officeOpenHour: 9, officeCloseHour: 17 })
  await write(new Location(), { ...own, name: 'Magazijn Almere' })
  const staff = [
    ...members.map(({ name, id, email }) => ({ name, email, userId: id, jobTitle: 'Kantoor' })),
    ...['Bram Bakker', 'Fatima el Idrissi', 'Joost de Groot', 'Sanne Visser', 'Kees Smit'].map((name) => ({
      name,
      jobTitle: 'Monteur',
    })),
  ]
  const employees: Employee[] = []
  for (const [index, person] of staff.entries())
    employees.push(await write(new Employee(), { ...own, ...person, locationId: [amsterdam, utrecht][index % 2].id }))
  return employees
}

const hour = 60 * 60 * 1000

/** Meetings of an hour and a half, three a day from the first Monday of 2026 on. */
async function plan(
  write: Write,
  own: { organizationId: string },
  employees: Employee[],
  count: number,
): Promise<void> {
  const first = Date.UTC(2026, 0, 5, 8)
  for (let index = 0; index < count; index++) {
    const dateFrom = new Date(first + Math.floor(index / 3) * 24 * hour + (index % 3) * 3 * hour)
    const dateTo = new Date(dateFrom.getTime() + 1.5 * hour)
    const employeeId = index % 10 === 9 ? null : employees[index % employees.length].id
    const time = index % 4 === 0 ? new Date(dateFrom.getTime() + hour / 2) : null
    await write(new Meeting(), {
      ...own,
      employeeId,
      dateFrom,
      dateTo,
      time,
      notes: index % 5 === 0 ? 'Onderhoud cv-ketel' : null,
    })
  }
}

function address(write: Write, own: { organizationId: string }, name: string): Promise<OrganizationAddress> {
  return write(new OrganizationAddress(), {
    ...own,
    kind: 'billing',
    name,
    street: 'Keizersgracht',
    houseNumber: '12',
    postalCode: '1015 CS',
    city: 'Amsterdam',
    countryId: 'NL',
    vatNumber: 'NL001234567B01',
  })
}

/** Has the demo organizations subscribe at the local Stripe, each once. */
export async function subscribeDemo(database: DataSource, billing: Billing): Promise<void> {
  const { manager } = database
  for (const organization of await manager.findBy(Organization, { demo: true, manualBilling: false })) {
    const own = { organizationId: organization.id }
    const address = await manager.findOneBy(OrganizationAddress, { ...own, kind: 'billing' })
    if (!address || (await manager.existsBy(Subscription, own))) continue
    const seats = await manager.countBy(Employee, own)
    const subscription = new Subscription()
    Object.assign(subscription, own, { organizationAddressId: address.id, seats, modules: ['planning', 'banking'] })
    const customer = await customerOf(billing, manager, organization)
    await enqueueProfileUpdate(billing, manager, customer, subscription)
    const card = await attachPaymentMethod(billing, 'pm_card_visa', customer, subscription.id)
    await makeDefaultPaymentMethod(billing, customer, card.id)
    await insertRow(manager, subscription)
    await billing.subscribe(customer, subscription, card.id)
    await enqueueCustomerSync(manager, customer)
  }
}
