import { Employee, Location, Meeting, OrganizationConfig } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, given, organization, tenant } = await openWorld()

/** Citus reports a violated constraint by its name on a shard. */
const suffix = '_102034'

test('a unique index violated on a shard is reported for its property', async () => {
  await given(Location, { name: 'Amsterdam' })
  await database.query(`ALTER INDEX "location:name" RENAME TO "location:name${suffix}"`)
  const { status, body } = await as(tenant.users.admin).post('/locations', { name: 'amsterdam' })
  expect(status).toBe(422)
  expect(body.violations).toEqual([expect.objectContaining({ propertyPath: 'name', code: 'isUnique' })])
})

test('an exclusion constraint violated on a shard names the other meeting', async () => {
  const own = { organizationId: organization.id, key: 'meetingOverlap' }
  await database.manager.update(OrganizationConfig, own, { value: 'reject' })
  await database.query(`ALTER TABLE "meeting" RENAME CONSTRAINT "meeting:overlap" TO "meeting:overlap${suffix}"`)
  const ada = await given(Employee, { name: 'Ada' })
  const window = { dateFrom: '2100-01-05T10:00:00Z', dateTo: '2100-01-05T11:00:00Z' }
  const meeting = { employee: `/employees/${ada.id}`, ...window }
  const first = await api.post('/meetings', meeting)
  expect(first.status).toBe(201)
  const second = await api.post('/meetings', meeting)
  expect(second.status).toBe(409)
  expect(second.body.detail).toContain(first.body['@id'])
  expect(await database.manager.countBy(Meeting, { employeeId: ada.id })).toBe(1)
})
