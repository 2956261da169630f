const { api, as, database, foundTenant, given } = await openWorld()

// The same mistake could be wherever days are added to an instant: opening hours of any zone, across midnight, and clock times.
import fc from 'fast-check'
import { Location, Meeting, OrganizationConfig } from '../../entities/index.ts'
import { weekdays } from '../../entities/settings.ts'
import { WallClock } from '../../entities/wall-clock.ts'
import { openWorld } from '../support/world.ts'
import { offsets } from '../support/zone-transitions.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const location = (officeOpenHour: number, officeCloseHour: number) =>
  Object.assign(new Location(), { officeOpenHour, officeCloseHour })
const period = ({ opensAt, closesAt }: Location) => [opensAt?.toISOString(), closesAt?.toISOString()]

// RFC 5545 §3.3.5 and the IANA time zone database: a wall clock leaves out or repeats some hours.
test.each([
  ['America/Santiago', '2026-09-05T12:00:00Z', 9, 24, '2026-09-05T13:00:00.000Z', '2026-09-06T04:00:00.000Z'],
  ['America/Santiago', '2026-09-06T12:00:00Z', 9, 24, '2026-09-06T12:00:00.000Z', '2026-09-07T03:00:00.000Z'],
  ['America/Santiago', '2026-09-06T04:00:00Z', 0, 24, '2026-09-06T04:00:00.000Z', '2026-09-07T03:00:00.000Z'],
  ['America/Santiago', '2026-09-11T12:00:00Z', 9, 24, '2026-09-11T12:00:00.000Z', '2026-09-12T03:00:00.000Z'],
  ['Africa/Cairo', '2026-04-23T12:00:00Z', 8, 24, '2026-04-23T06:00:00.000Z', '2026-04-23T22:00:00.000Z'],
  ['Australia/Lord_Howe', '2026-10-03T13:00:00Z', 2, 3, '2026-10-03T15:30:00.000Z', '2026-10-03T16:00:00.000Z'],
  ['Pacific/Apia', '2011-12-30T09:00:00Z', 9, 17, '2011-12-30T19:00:00.000Z', '2011-12-31T03:00:00.000Z'],
  ['Europe/Amsterdam', '2026-10-25T00:15:00Z', 2, 3, '2026-10-25T00:00:00.000Z', '2026-10-25T02:00:00.000Z'],
])('in %s at %s the hours %i to %i are from %s to %s', (timezone, now, open, close, opensAt, closesAt) => {
  const found = location(open, close).findOpening({ timezone, workingDays: weekdays }, new Date(now))
  expect(period(found)).toEqual([opensAt, closesAt])
})

// Across midnight the day on which it opens is the working day.
test.each([
  ['Europe/Amsterdam', weekdays, '2026-11-24T23:30:00Z', '2026-11-24T21:00:00.000Z', '2026-11-25T05:00:00.000Z'],
  ['Europe/Amsterdam', weekdays, '2026-11-25T05:00:00Z', '2026-11-25T21:00:00.000Z', '2026-11-26T05:00:00.000Z'],
  ['Europe/Amsterdam', ['friday'], '2026-11-28T01:00:00Z', '2026-11-27T21:00:00.000Z', '2026-11-28T05:00:00.000Z'],
  ['Europe/Amsterdam', ['saturday'], '2026-11-28T01:00:00Z', '2026-11-28T21:00:00.000Z', '2026-11-29T05:00:00.000Z'],
  ['Europe/Amsterdam', ['saturday'], '2026-03-28T22:00:00Z', '2026-03-28T21:00:00.000Z', '2026-03-29T04:00:00.000Z'],
  ['Europe/Amsterdam', ['saturday'], '2026-10-24T22:00:00Z', '2026-10-24T20:00:00.000Z', '2026-10-25T05:00:00.000Z'],
])('in %s on %j at %s the hours 22 to 6 are from %s to %s', (timezone, workingDays, now, opensAt, closesAt) => {
  const found = location(22, 6).findOpening({ timezone, workingDays }, new Date(now))
  expect(period(found)).toEqual([opensAt, closesAt])
})

test('hours across midnight are taken by POST and PATCH, equal ones are refused', async () => {
  const made = await api.post('/locations', { name: 'Night watch', officeOpenHour: 22, officeCloseHour: 6 })
  expect([made.status, made.body.officeOpenHour, made.body.officeCloseHour]).toEqual([201, 22, 6])
  const shown = await api.get(made.body['@id'])
  expect(Date.parse(shown.body.closesAt) - Date.parse(shown.body.opensAt)).toBeLessThanOrEqual(9 * hour)
  const iri = made.body['@id']
  for (const hours of [{ officeOpenHour: 6 }, { officeOpenHour: 9, officeCloseHour: 9 }]) {
    const { status, body } = await api.patch(iri, hours)
    expect([status, body.violations]).toEqual([
      422,
      [expect.objectContaining({ propertyPath: 'officeCloseHour', code: 'differs' })],
    ])
  }
  expect((await api.patch(iri, { officeOpenHour: 23, officeCloseHour: 1 })).status).toBe(200)
})

test('a clock time is the first such moment within the window', async () => {
  const { organization, users } = await foundTenant('Night shift', 'night-shift')
  const owner = as(users.owner)
  const at = async (timezone: string, dateFrom: string, dateTo: string, time: string) => {
    const own = { organizationId: organization.id, key: 'timezone' }
    await database.manager.update(OrganizationConfig, own, { value: timezone as never })
    const sent = { employee: null, dateFrom, dateTo, time: `1970-01-01T${time}:00Z` }
    const { body, status } = await owner.post('/meetings', sent)
    return status === 201 ? body.time : body.violations.map(({ code }: { code: string }) => code)
  }
  const night = ['2026-04-01T20:00:00Z', '2026-04-02T00:00:00Z'] as const
  expect(await at('Europe/Amsterdam', ...night, '01:00')).toBe('2026-04-01T23:00:00Z')
  expect(await at('Europe/Amsterdam', ...night, '22:00')).toBe('2026-04-01T20:00:00Z')
  expect(await at('Europe/Amsterdam', ...night, '02:00')).toBe('2026-04-02T00:00:00Z')
  expect(await at('Europe/Amsterdam', ...night, '12:00')).toEqual(['within'])
  const days = ['2026-04-01T20:00:00Z', '2026-04-05T20:00:00Z'] as const
  expect(await at('Europe/Amsterdam', ...days, '09:00')).toBe('2026-04-02T07:00:00Z')
  expect(await at('America/New_York', ...days, '15:59')).toBe('2026-04-02T19:59:00Z')
  // The hour that is left out: the next day has it, and in a window without that it is read as RFC 5545 §3.3.5 does.
  const spring = ['2026-03-28T22:00:00Z', '2026-03-29T06:00:00Z'] as const
  expect(await at('Europe/Amsterdam', ...spring, '02:30')).toBe('2026-03-29T01:30:00Z')
  expect(await at('Europe/Amsterdam', spring[0], '2026-03-31T00:00:00Z', '02:30')).toBe('2026-03-30T00:30:00Z')
  // The hour that comes twice: the first, or the second where the window opens between them.
  const autumn = '2026-10-25T05:00:00Z'
  expect(await at('Europe/Amsterdam', '2026-10-24T22:00:00Z', autumn, '02:30')).toBe('2026-10-25T00:30:00Z')
  expect(await at('Europe/Amsterdam', '2026-10-25T00:45:00Z', autumn, '02:30')).toBe('2026-10-25T01:30:00Z')
  expect(await at('America/Santiago', '2026-09-06T02:00:00Z', '2026-09-06T06:00:00Z', '01:00')).toBe(
    '2026-09-06T04:00:00Z',
  )
})

test('a PATCH settles a clock time that is sent, and moves none that is kept', async () => {
  const window = { dateFrom: new Date('1969-12-31T20:00:00Z'), dateTo: new Date('1970-01-02T20:00:00Z') }
  const meeting = await given(Meeting, window)
  const { body } = await api.patch(`/meetings/${meeting.id}`, { time: '1970-01-01T10:00:00Z' })
  expect(body.time).toBe('1970-01-01T09:00:00Z')
  expect((await api.patch(`/meetings/${meeting.id}`, { notes: 'x' })).body.time).toBe('1970-01-01T09:00:00Z')
})

test('on each day near a change of the clocks, periods begin and end when the clock first shows the hour', () => {
  const zones = ['America/Santiago', 'Europe/Amsterdam', 'Australia/Lord_Howe', 'Africa/Cairo', 'America/Havana']
  zones.push('Pacific/Apia', 'Antarctica/Troll', 'America/Sao_Paulo', 'Asia/Beirut', 'America/St_Johns')
  const changed = fc
    .constantFrom(...zones.map((zone) => ({ zone, changes: offsets(zone, 2000, 2030) })))
    .chain(({ zone, changes }) => fc.record({ zone: fc.constant(zone), change: fc.constantFrom(...changes) }))
  const hours = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 1, max: 24 })).filter(([a, b]) => a !== b)
  const property = fc.property(
    changed,
    hours,
    fc.integer({ min: -48, max: 48 }),
    ({ zone, change }, [open, close], at) => {
      const now = change.at + at * 45 * minute
      const found = location(open, close).findOpening({ timezone: zone, workingDays: weekdays }, new Date(now))
      const shown = (instant: number) => instant + (instant < change.at ? change.before : change.after)
      const first = (wanted: number) => {
        for (let instant = wanted - 16 * hour; ; instant += minute) if (shown(instant) >= wanted) return instant
      }
      for (let number = Math.floor(shown(now) / day) - 1; ; number += 1) {
        const opensAt = first(number * day + open * hour)
        const closesAt = first((close > open ? number : number + 1) * day + close * hour)
        if (closesAt <= now || closesAt <= opensAt) continue
        expect([found.opensAt?.getTime(), found.closesAt?.getTime()]).toEqual([opensAt, closesAt])
        return
      }
    },
  )
  fc.assert(property, { numRuns: 400, seed: 20_261_126 })
  expect(new WallClock('Mars/Olympus_Mons').isKnown).toBe(false)
})

test('the documentation and the schemas explain hours and clock times', async () => {
  const { body: docs } = await as().get('/docs.jsonld')
  const { body: openapi } = await as().get('/docs.jsonopenapi').buffer()
  for (const [name, property, said] of [
    ['Meeting', 'time', /1970-01-01T09:30:00Z/],
    ['Location', 'officeCloseHour', /next day/],
    ['Location', 'opensAt', /working day/],
  ] as const) {
    const { supportedProperty } = docs.supportedClass.find(({ title }: { title: string }) => title === name)
    const documented = supportedProperty.find(({ title }: { title: string }) => title === property)
    expect(documented.description).toMatch(said)
    expect(openapi.components.schemas[name].properties[property].description).toBe(documented.description)
  }
})
