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
import { insertSubscription } from '../billing/save-subscription.ts'
import { insertRow } from '../hydra/index.ts'
import { lockDemoData, lockOrganization } from '../postgres/locks.ts'
import { defaultSets } from '../workspace/defaults.ts'
import { exclusive } from '../workspace/meeting-overlap.ts'
import { exampleId } from './example-id.ts'

/** The people of the demo, one for each role. */
export const people = {
  owner: { subject: 'demo-owner', name: 'Olga Owner' },
  admin: { subject: 'demo-admin', name: 'Adam Admin' },
  member: { subject: 'demo-member', name: 'Mia Member' },
  operator: { subject: 'demo-operator', name: 'Otto Operator' },
} as const

export type Person = keyof typeof people

/** The organization that the people of the demo are members of. */
const home = { name: 'Van Dijk Installatietechniek', slug: 'van-dijk' }

/**
 * A token for one of the people of the demo. It names the organization that it acts for: the one of the slug, or else the
 * demo's. The operator belongs to no organization.
 */
export async function tokenFor(
  database: DataSource,
  issuer: OwnIssuer,
  person: Person,
  slug?: string,
): Promise<string> {
  const { subject: sub, name } = people[person]
  if (person === 'operator') {
    if (slug) throw new Error('The operator acts for no organization. Leave out --organization.')
    return issuer.sign({ sub, name })
  }
  const organization = await database.manager.findOneBy(Organization, { slug: slug ?? home.slug })
  if (slug && !organization) throw new Error(`No organization has the slug "${slug}".`)
  return issuer.sign({ sub, name, organization: organization?.id })
}

/**
 * Creates the demo organizations: one with data of every kind, and another that shows the isolation of tenants.
 * @returns false where they exist already
 */
export async function seedDemo(
  database: DataSource,
  issuer: string,
  { manualBilling }: Pick<Organization, 'manualBilling'>,
): Promise<boolean> {
  return database.transaction(async (manager) => {
    await lockDemoData(manager)
    if (await manager.existsBy(Organization, { demo: true })) return false
    const seen = new Set<unknown>()
    const write = async <E extends object>(entity: E, values: Partial<E>): Promise<E> => {
      // The examples in the documentation name the first row of each class.
      const id = entity instanceof Identified && !seen.has(entity.constructor) ? { id: exampleId } : {}
      seen.add(entity.constructor)
      Object.assign(entity, id, values)
      const options = entity instanceof Meeting ? { expressions: { exclusive } } : {}
      if (entity instanceof Subscription)
        await insertSubscription(manager, await lockOrganization(manager, entity.organizationId), entity)
      else await insertRow(manager, entity, options)
      return entity
    }
    await writeHome(write, issuer, { manualBilling })
    const stranger = await write(new User(), { issuer, subject: 'demo-stranger', name: 'Sam Stranger' })
    await fillOrganization(write, { name: 'Elders Schoonmaak', slug: 'elders', manualBilling }, [stranger], 5)
    return true
  })
}

/** Gives an entity its values, and writes it. */
export type Write = <E extends object>(entity: E, values: Partial<E>) => Promise<E>

/** Writes the people of the demo and their organization. */
export async function writeHome(
  write: Write,
  issuer: string,
  { manualBilling }: Pick<Organization, 'manualBilling'>,
): Promise<void> {
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
  await fillOrganization(write, { ...home, manualBilling }, users.slice(0, 3), 120)
}

async function fillOrganization(
  write: Write,
  { name, slug, manualBilling }: Pick<Organization, 'name' | 'slug' | 'manualBilling'>,
  members: User[],
  meetings: number,
): Promise<void> {
  const organization = await write(new Organization(), { name, slug, demo: true, productionLike: false, manualBilling })
  const own = { organizationId: organization.id }
  for (const row of defaultSets())
    await write(row, row instanceof MailFooter ? { ...own, mailFooter: footerOf(name) } : own)
  await write(new Language(), { ...own, id: 'de' })
  const roles = ['owner', 'admin', 'member'] as const
  for (const [index, user] of members.entries())
    await write(new OrganizationUser(), { ...own, userId: user.id, name: user.name, role: roles[index] })
  const employees = await addEmployees(write, own, members)
  await addMeetings(write, own, employees, meetings)
  const billingAddress = await addBillingAddress(write, own, name)
  const terms = { seats: employees.length, modules: ['planning', 'banking'], organizationAddressId: billingAddress.id }
  const confirmed = { status: 'active', confirmedAt: new Date(Date.UTC(2026, 0, 1)) }
  if (manualBilling) await write(new Subscription(), { ...own, ...terms, ...confirmed })
}

const footerOf = (name: string) => `<p>Met vriendelijke groet,<br /><strong>${name}</strong></p>`

async function addEmployees(write: Write, own: { organizationId: string }, members: User[]): Promise<Employee[]> {
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

const hourMs = 60 * 60 * 1000

/** Adds meetings of 90 minutes, three a day, from the first Monday of 2026 on. */
async function addMeetings(
  write: Write,
  own: { organizationId: string },
  employees: Employee[],
  count: number,
): Promise<void> {
  const first = Date.UTC(2026, 0, 5, 8)
  for (let index = 0; index < count; index++) {
    const dateFrom = new Date(first + Math.floor(index / 3) * 24 * hourMs + (index % 3) * 3 * hourMs)
    const dateTo = new Date(dateFrom.getTime() + 1.5 * hourMs)
    const employeeId = index % 10 === 9 ? null : employees[index % employees.length].id
    const time = index % 4 === 0 ? new Date(dateFrom.getTime() + hourMs / 2) : null
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

function addBillingAddress(write: Write, own: { organizationId: string }, name: string): Promise<OrganizationAddress> {
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
