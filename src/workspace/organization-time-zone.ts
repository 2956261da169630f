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

/** Milliseconds that the zone of an organization is kept for pages, as long as memberships are. */
const cacheMs = 1000
const maxCachedZones = 10_000

let zones = new Map<string, { zone: string; until: number }>()

/** Clears the cache after a change of a time zone. */
export function forgetTimeZones(): void {
  zones = new Map()
}

/**
 * The time zone of the caller's organization; UTC for a caller without one, and where this runtime does not know the zone. It is
 * cached for a second at most.
 */
export async function timeZoneOf(executor: Executor, { tenant }: Caller): Promise<string> {
  if (tenant === null) return 'UTC'
  const cached = zones.get(tenant)
  if (cached && cached.until > Date.now()) return cached.zone
  // If the zone changes during the query, the result may be outdated: it goes into the map that `forgetTimeZones` discards.
  const [memory, until] = [zones, Date.now() + cacheMs]
  const [found] = await timezoneOfPage.read(executor, [{ organization: tenant }])
  const named = String(found?.value)
  const zone = new WallClock(named).isKnown ? named : 'UTC'
  if (memory.size >= maxCachedZones) memory.clear()
  memory.set(tenant, { zone, until })
  return zone
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
