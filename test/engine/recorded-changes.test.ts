import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { Employee, Language, Meeting } from '../../entities/index.ts'
import { Api } from '../../src/hydra/index.ts'
import { morning, openWorld } from '../support/world.ts'

const { api, as, database, given, organization, person, tenant } = await openWorld()

/** The changes of the organization since the last call, in the order of their tables. */
async function newChanges(): Promise<string[]> {
  const rows = await database.query(
    `DELETE FROM "change" WHERE "organizationId" = $1 RETURNING "relation", "id", "type", "version"`,
    [organization.id],
  )
  return (rows[0] as Record<string, unknown>[])
    .map(({ type, relation, id, version }) => `${type} ${relation} ${id ?? '-'} ${version ?? '-'}`)
    .sort()
}

beforeEach(newChanges)

test('a create, an update and a delete each record one change, with the version that was written', async () => {
  const { body: meeting } = await api
    .post('/meetings')
    .send({ ...morning, employee: null })
    .expect(201)
  const id = meeting['@id'].slice('/meetings/'.length)
  expect(await newChanges()).toEqual([`create meeting ${id} 1`])
  expect((await api.patch(meeting['@id']).send({ notes: 'Bring a ladder' })).status).toBe(200)
  expect(await newChanges()).toEqual([`update meeting ${id} 2`])

  const { body: address } = await api
    .post('/organization-addresses')
    .send({ kind: 'visiting', name: 'Acme', street: 'Damrak', city: 'Amsterdam', country: '/countries/NL' })
  const addressId = address['@id'].slice('/organization-addresses/'.length)
  await newChanges()
  expect((await api.delete(address['@id'])).status).toBe(204)
  expect(await newChanges()).toContain(`delete organization_address ${addressId} 1`)
})

test('a write that changes nothing, or is refused, records no change', async () => {
  const meeting = await given(Meeting, { ...morning, notes: 'Bring a ladder' })
  await newChanges()
  expect((await api.patch(`/meetings/${meeting.id}`).send({ notes: 'Bring a ladder' })).status).toBe(200)
  expect((await api.patch(`/meetings/${meeting.id}`).set('If-Match', '"9"').send({ notes: 'Late' })).status).toBe(412)
  expect((await api.post('/languages').send({ id: 'nl' })).status).toBe(422)
  expect(await newChanges()).toEqual([])
})

test('rows without a UUID or a version, and the item that a tenant has once, are recorded too', async () => {
  await api.post('/languages').send({ id: 'fr' }).expect(201)
  expect(await newChanges()).toContain('create language fr -')
  await api.patch('/organizations/mail-footer').send({ mailFooter: '<p>Acme</p>' }).expect(200)
  expect(await newChanges()).toContain('update mail_footer - 2')
  await api.patch(`/organizations/${organization.id}`).send({ name: 'Acme Cleaning' }).expect(200)
  expect(await newChanges()).toContain(`update organization ${organization.id} 2`)
})

test('a change of a user is recorded for each of its organizations', async () => {
  const { member } = tenant.users
  await as(member)
    .patch('/users/me')
    .send({ defaultOrganization: `/organizations/${organization.id}` })
    .expect(200)
  expect(await newChanges()).toEqual([`update user ${member.id} 2`])
  await person('stranger')
  expect(await newChanges()).toEqual([])
})

test('a clear records the rows that it deletes, and those that it detaches', async () => {
  const { id } = await given(Language, { id: 'de' })
  const { body: location } = await api.post('/locations').send({ name: 'Utrecht' }).expect(201)
  const employee = await given(Employee, { name: 'Joost', locationId: location['@id'].slice('/locations/'.length) })
  await database.query(`UPDATE "organization" SET "productionLike" = false WHERE "id" = $1`, [organization.id])
  await newChanges()
  await api.post('/organizations/clear').send({ confirm: 'acme' }).expect(201)
  expect(await newChanges()).toEqual(
    expect.arrayContaining([
      `delete language ${id} -`,
      `delete location ${location['@id'].slice('/locations/'.length)} 1`,
      `update employee ${employee.id} 2`,
    ]),
  )
})

test('changes are deleted once no stream can go on from before them, after an hour', async () => {
  await api
    .post('/meetings')
    .send({ ...morning, employee: null })
    .expect(201)
  await api
    .post('/meetings')
    .send({ ...morning, employee: null })
    .expect(201)
  await database.query(
    `UPDATE "change" SET "at" = now() - interval '66 minutes'
      WHERE "xid" = (SELECT min("xid") FROM "change" WHERE "organizationId" = $1)`,
    [organization.id],
  )
  await Api.deleteExpired((database.driver as PostgresDriver).master)
  expect(await newChanges()).toHaveLength(1)
})
