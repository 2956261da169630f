import { IsString, MaxLength } from 'class-validator'
import { In, IsNull, Not } from 'typeorm'
import { Employee, Language, Location, Meeting, Organization } from '../../entities/index.ts'
import type { Call } from '../hydra/call.ts'
import { type Operation, Unchanged } from '../hydra/operation.ts'
import { ConstraintViolation, Problem } from '../hydra/problem.ts'
import { record } from './audit.ts'

/** The word that must be said before an organization is wiped. */
export class Clearance {
  /** The slug of the organization, typed again. */
  @IsString()
  @MaxLength(63)
  confirm: string
}

/** Wipes what an organization has put in, and leaves what it is. */
export const clear: Operation<Organization> = {
  name: 'clear',
  method: 'POST',
  path: '/clear',
  title: () => 'Wipes the meetings, locations, added languages and imported bank data of the organization',
  description: 'Only for organizations that are a demo or not guarded as production; "confirm" is the slug.',
  expects: Clearance,
  returns: 'item',
  statuses: [200, 201, 400, 409, 413, 415, 422],
  link: { name: 'clear', when: ({ clearable }: Organization) => clearable },
  async handle(call) {
    const { confirm } = await call.input(Clearance)
    return call.transaction(async () => {
      const organization = await call.get(Organization, call.organization)
      if (!organization.clearable)
        throw new Problem(409, 'It is neither a demo nor free of production guards, so it cannot be cleared.')
      if (confirm !== organization.slug)
        throw new ConstraintViolation([
          { propertyPath: 'confirm', message: 'confirm must be the slug of the organization.', code: 'isSlug' },
        ])
      const wiped = await wipe(call)
      if (Object.values(wiped).every((rows) => rows === 0)) return new Unchanged(organization)
      const changes = Object.fromEntries(
        Object.entries(wiped).map(([name, rows]): [string, [number, number]] => [name, [rows, 0]]),
      )
      await record(call, 'organization.clear', `/organizations/${organization.id}`, changes)
      return organization
    })
  },
}

/** Deletes, in the order that references allow, and counts. */
async function wipe({ manager, organization: organizationId }: Call): Promise<Record<string, number>> {
  const meetings = await manager.delete(Meeting, { organizationId })
  await manager.update(
    Employee,
    { organizationId, locationId: Not(IsNull()) },
    { locationId: null, updatedAt: new Date() },
  )
  const locations = await manager.delete(Location, { organizationId })
  const languages = await manager.delete(Language, { organizationId, id: Not(In(['nl', 'en'])) })
  return { meetings: meetings.affected ?? 0, locations: locations.affected ?? 0, languages: languages.affected ?? 0 }
}
