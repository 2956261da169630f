import { WallClock } from '../../entities/wall-clock.ts'
import { type Caller, type Executor, FairPool, statement } from '../hydra/index.ts'

const timezone = statement(
  'local-time',
  `SELECT "value" FROM "organization_config" WHERE "organizationId" = :organization AND "key" = 'timezone'`,
)

/** The time zone for pages, read together with the other rows of a page. */
const timezoneOfPage = FairPool.keyed({
  name: 'time-zone',
  each: `SELECT "value" FROM "organization_config" WHERE "organizationId" = :organization AND "key" = 'timezone'`,
  types: { organization: 'uuid' },
})

/** The time zone of the caller's organization; UTC for a caller without one, and where this runtime does not know the zone. */
export async function timeZoneOf(executor: Executor, { tenant }: Caller): Promise<string> {
  if (tenant === null) return 'UTC'
  const [found] = await timezoneOfPage.read(executor, [{ organization: tenant }])
  const zone = String(found?.value)
  return new WallClock(zone).isKnown ? zone : 'UTC'
}

/** Adds the offset of the organization's time zone to a date-time; undefined if this runtime does not know the zone. */
export async function localTimeOf(
  executor: Executor,
  { tenant }: Caller,
): Promise<((text: string) => string) | undefined> {
  if (tenant === null) return undefined
  const [found] = (await timezone(executor, { organization: tenant })).rows
  const clock = new WallClock(String(found?.value))
  return clock.isKnown ? (text) => withOffset(clock, text) : undefined
}

/** The same date-time with its offset; in UTC where the offset has seconds, as in Amsterdam before 1937. */
function withOffset(clock: WallClock, text: string): string {
  const shown = Date.parse(`${text}Z`)
  if (Number.isNaN(shown)) return text
  const meant = clock.intendedInstant(shown)
  const minutes = (shown - meant) / 60_000
  if (!Number.isInteger(minutes)) return new Date(meant).toISOString()
  const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) =>
    String(part).padStart(2, '0'),
  )
  return `${text.length === 'YYYY-MM-DDThh:mm'.length ? `${text}:00` : text}${minutes < 0 ? '-' : '+'}${hour}:${minute}`
}
