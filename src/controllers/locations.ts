import { Location, OrganizationConfig } from '../../entities/index.ts'
import type { OpeningCalendar } from '../../entities/location.ts'
import { type Call, type Operation, Page } from '../hydra/index.ts'

/** Tells with each location when it is open next: one question about the organization, however many there are. */
export function withHours(operation: Operation): Operation {
  return {
    ...operation,
    description:
      'Hours are wall-clock hours in the organization\'s "timezone", on its "workingDays". Hours across midnight, such as 22 ' +
      'to 6, belong to the day on which it opens. "opensAt" and "closesAt" are the moments between which it is open now or ' +
      'next; they are null without hours or working days.',
    async handle(call) {
      const outcome = await operation.handle(call)
      const locations = (outcome instanceof Page ? outcome.found.entities : [outcome]).filter(
        (entity) => entity instanceof Location && entity.officeOpenHour !== null,
      ) as Location[]
      if (locations.length === 0) return outcome
      const [calendar, now] = [await calendarOf(call), new Date()]
      for (const location of locations) location.findOpening(calendar, now)
      return outcome
    },
  }
}

async function calendarOf({ manager, tenant: organizationId }: Call): Promise<OpeningCalendar> {
  const found = await manager.findBy(OrganizationConfig, { organizationId })
  const { timezone, workingDays } = Object.fromEntries(found.map(({ key, value }) => [key, value]))
  return { timezone, workingDays } as OpeningCalendar
}
