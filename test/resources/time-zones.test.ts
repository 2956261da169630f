const { api, as, database, foundTenant, given } = await openWorld()

// The same mistake could be wherever a zone's name is read: the setting, opening hours, clock times of meetings, mails.
import { readFileSync } from 'node:fs'
import { Location, Meeting, OrganizationConfig } from '../../entities/index.ts'
import { isTimeZone } from '../../entities/time-zones.ts'
import { address, path } from '../invitations/invitees.ts'
import { mailSystem } from '../support/mail-server.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { morning, openWorld } from '../support/world.ts'

const { body: configs } = await api.get('/organization-configs')
const iri = configs.member.find(({ key }: { key: string }) => key === 'timezone')['@id']

// RFC 6557 (the IANA time zone database): a link is a name like any other.
test.each([
  'Asia/Kolkata',
  'Asia/Calcutta',
  'Europe/Kyiv',
  'Europe/Kiev',
  'America/Nuuk',
  'America/Godthab',
  'America/Argentina/Buenos_Aires',
  'Asia/Yangon',
  'US/Eastern',
  'GB-Eire',
  'EST5EDT',
  'Etc/GMT+5',
  'Etc/UTC',
  'GMT',
  'UTC',
])('the time zone %s is accepted, kept as sent and used', async (value) => {
  const { status, body } = await api.patch(iri, { value })
  expect([status, body.value]).toEqual([200, value])
  expect((await api.get(iri)).body.value).toBe(value)
  const made = await api.post('/locations', { name: value, officeOpenHour: 0, officeCloseHour: 24 })
  expect([made.status, made.body.opensAt]).toEqual([201, expect.stringMatching(/Z$/)])
})

test('each name and alias that the runtime has rules for is accepted', () => {
  for (const name of Intl.supportedValuesOf('timeZone')) expect([name, isTimeZone(name)]).toEqual([name, true])
  const source = readFileSync(new URL('../../entities/time-zones.ts', import.meta.url), 'utf8')
  const listed = source.split('`')[1].trim().split(/\s+/)
  expect(listed.length).toBeGreaterThan(590)
  for (const name of listed) expect([name, isTimeZone(name)]).toEqual([name, runs(name)])
})

test.each([
  '+02:00',
  '+0200',
  'UTC+2',
  'europe/amsterdam',
  'asia/kolkata',
  'ASIA/KOLKATA',
  'utc',
  'IST',
  'Europe/Nowhere',
])('%s is refused on every Node, with the remedy', async (value) => {
  const answer = await api.patch(iri, { value })
  const { violations } = expectProblem(answer as never, 422) as { violations: { message: string }[] }
  expect(violations[0].message).toContain('IANA')
})

test('a stored zone that this runtime does not know fails no request', async () => {
  const { organization: lost, users } = await foundTenant('Lost', 'lost')
  const owner = as(users.owner)
  await database.manager.update(
    OrganizationConfig,
    { organizationId: lost.id, key: 'timezone' },
    { value: 'Mars/Olympus_Mons' as never },
  )
  const location = await given(Location, { name: 'A', officeOpenHour: 9, officeCloseHour: 17, organizationId: lost.id })
  const shown = await owner.get(`/locations/${location.id}`)
  expect([shown.status, shown.body.opensAt, shown.body.closesAt]).toEqual([200, null, null])
  expect((await owner.get('/locations')).status).toBe(200)

  const window = { employee: null, dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T10:00:00Z' }
  const { status, body } = await owner.post('/meetings', { ...window, time: '1970-01-01T09:00:00Z' })
  expect([status, body.violations]).toEqual([
    422,
    [
      {
        propertyPath: 'time',
        code: 'isTimeZone',
        message: expect.stringMatching(/"Mars\/Olympus_Mons".+"timezone"/),
      },
    ],
  ])
  const meeting = await given(Meeting, { ...morning, organizationId: lost.id })
  expect((await owner.patch(`/meetings/${meeting.id}`, { time: '1970-01-01T09:00:00Z' })).status).toBe(422)
  expect((await owner.patch(`/meetings/${meeting.id}`, { notes: 'x' })).status).toBe(200)

  const email = address()
  await owner.post(path, { email }).expect(201)
  expect((await mailSystem.server.mailTo(email)).text).toContain('(UTC)')

  const { body: settings } = await owner.get('/organization-configs?key=timezone')
  expect(settings.member[0].value).toBe('Mars/Olympus_Mons')
  expect((await owner.patch(settings.member[0]['@id'], { value: 'Europe/Amsterdam' })).status).toBe(200)
  expect((await owner.get(`/locations/${location.id}`)).body.opensAt).not.toBeNull()
})

function runs(timeZone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone }))
  } catch {
    return false
  }
}
