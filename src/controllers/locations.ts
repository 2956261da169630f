import { Location, OrganizationConfig } from '../../entities/index.ts'
import type { OpeningCalendar } from '../../entities/location.ts'
import {
  type Call,
  createOperation,
  listOperation,
  type Operation,
  Page,
  readOperation,
  updateOperation,
} from '../hydra/index.ts'

export const list = withOpeningHours(listOperation())

export const create = withOpeningHours(createOperation())

export const read = withOpeningHours(readOperation())

export const update = withOpeningHours(updateOperation())

/** Computes `opensAt` and `closesAt` of every location in the response, with one query for the organization's settings. */
function withOpeningHours(operation: Operation): Operation {
  return {
    ...operation,
    description:
      'Hours are wall-clock hours in the organization\'s "timezone", on its "workingDays". Hours across midnight, such as 22 ' +
      'to 6, belong to the day on which the location opens. "opensAt" and "closesAt" bound the current or next opening ' +
      'period; they are null without hours or working days.',
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
