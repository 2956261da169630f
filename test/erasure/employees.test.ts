import { AuditEvent, Employee, Meeting, OrganizationUserInvitation } from '../../entities/index.ts'
import { TenantScope } from '../../src/hydra/index.ts'
import { jobs } from '../support/jobs.ts'
import { givenInvitation } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'
import { columnsWith } from './marked-columns.ts'

const { api, as, database, elsewhere, given, organization, served, tenant } = await openWorld()

const rowOf = ({ id }: { id: string }) => database.manager.findOneByOrFail(Employee, { id })
const iri = ({ id }: { id: string }) => `/employees/${id}`
const eventsOf = (target: string, action: string) => database.manager.findBy(AuditEvent, { target, action })

describe('the erasure of an employee', () => {
  test('removes all data about the person, and keeps the row', async () => {
    const { body } = await api
      .post('/employees', {
        ...{ name: 'Zoë Zonneveld', email: 'zoe@zonneveld.example', phone: '+31 6 987', jobTitle: 'Zonweringmonteur' },
        user: `/users/${tenant.users.member.id}`,
      })
      .expect(201)
    const erased = await api.post(`${body['@id']}/erase`, { confirm: 'Zoë Zonneveld' }).expect(201)
    expect(erased.body).toMatchObject({
      ...{ '@id': body['@id'], name: 'Erased employee', email: null, phone: null, jobTitle: null, user: null },
      ...{ active: false, erasedAt: expect.any(String) },
    })
    expect((await api.get(body['@id'])).body).toEqual(erased.body)
    expect((await api.get('/employees?q=zonneveld')).body.totalItems).toBe(0)
    for (const text of ['zonne', '+31 6 987']) expect(await columnsWith(text)).toEqual([])
    expect(await eventsOf(body['@id'], 'employee.create')).toMatchObject([
      {
        actorId: tenant.users.owner.id,
        changes: {
          name: [null, '[erased]'],
          email: [null, '[erased]'],
          userId: [null, '[erased]'],
          active: [null, true],
        },
      },
    ])
    expect(await eventsOf(body['@id'], 'employee.erase')).toMatchObject([
      { actorId: tenant.users.owner.id, changes: { erasedAt: [null, erased.body.erasedAt] } },
    ])
  })

  test('is for admins and owners, and is shown to them until it is done', async () => {
    const employee = await given(Employee, { name: 'Guarded' })
    const path = `${iri(employee)}/erase`
    const confirm = { confirm: 'Guarded' }
    await as().post(path, confirm).expect(401)
    await as(tenant.users.member).post(path, confirm).expect(403)
    for (const body of [confirm, {}]) await as(elsewhere.users.owner).post(path, body).expect(404)
    expect((await as(tenant.users.member).get(iri(employee))).body).not.toHaveProperty('erase')
    expect((await api.get(iri(employee))).body.erase).toBe(path)
    expect(await rowOf(employee)).toMatchObject({ name: 'Guarded', erasedAt: null })
    const { body } = await as(tenant.users.admin).post(path, confirm).expect(201)
    expect(body).not.toHaveProperty('erase')
  })

  test.each(['Wrong', 'careful', '', null])('is refused where the confirmation is %j', async (confirm) => {
    const employee = await given(Employee, { name: 'Careful' })
    const { status, body } = await api.post(`${iri(employee)}/erase`, { confirm })
    expect([status, body.violations[0].propertyPath]).toEqual([422, 'confirm'])
    expect((await rowOf(employee)).name).toBe('Careful')
  })

  test('changes nothing when it is repeated, and the employee takes no new data', async () => {
    const employee = await given(Employee, { name: 'Twice' })
    const path = `${iri(employee)}/erase`
    const { body } = await api.post(path, { confirm: 'Twice' }).expect(201)
    expect((await api.post(path, { confirm: 'Twice' }).expect(200)).body).toEqual(body)
    expect(await eventsOf(iri(employee), 'employee.erase')).toHaveLength(1)
    const refused = await api.patch(iri(employee), { name: 'Back again' }).expect(409)
    expect(refused.body.detail).toContain('was erased')
    expect((await rowOf(employee)).name).toBe('Erased employee')
  })

  test('with an Idempotency-Key gets one response twice', async () => {
    const employee = await given(Employee, { name: 'Keyed' })
    const send = () => api.post(`${iri(employee)}/erase`, { confirm: 'Keyed' }).set('Idempotency-Key', 'erase-keyed')
    const first = await send().expect(201)
    const second = await send().expect(201)
    expect([second.headers['idempotent-replayed'], second.body]).toEqual(['true', first.body])
  })

  test('answers 202 while a job empties the notes of its meetings, and leaves the notes of others', async () => {
    const [employee, other] = [await given(Employee, { name: 'Busy' }), await given(Employee, { name: 'Other' })]
    const meeting = await given(Meeting, { ...morning, employee, notes: 'Busy brings the ladder' })
    const theirs = await given(Meeting, { ...morning, employee: other, notes: 'Nobody brings a ladder' })
    const path = `${iri(employee)}/erase`
    const { headers } = await api.post(path, { confirm: 'Busy' }).expect(202)
    expect(headers['retry-after']).toBe('2')
    await api.post(path, { confirm: 'Busy' }).expect(202)
    const payload = { organization: organization.id, employee: employee.id }
    const [{ waiting }] = await database.query(
      `SELECT count(*)::int AS "waiting" FROM graphile_worker._private_jobs WHERE "payload"->>'employee' = $1`,
      [employee.id],
    )
    expect(waiting).toBe(1)
    await jobs.eraseNotes(payload)
    await api.post(path, { confirm: 'Busy' }).expect(200)
    const { body } = await api.get(`/meetings/${meeting.id}`)
    expect(body).toMatchObject({ employee: iri(employee), dateFrom: '2026-04-01T08:00:00Z', notes: null })
    expect((await api.get(`/meetings/${theirs.id}`)).body.notes).toBe('Nobody brings a ladder')
    await jobs.eraseNotes(payload)
    expect((await database.manager.findOneByOrFail(Meeting, { id: meeting.id })).version).toBe(2)
  })

  test('continues in the next run of the job after one that died', async () => {
    const employee = await given(Employee, { name: 'Long' })
    await database.query(
      `INSERT INTO "meeting" ("id", "createdAt", "updatedAt", "version", "organizationId", "employeeId", "dateFrom", "dateTo", "notes")
        SELECT CASE n WHEN 3000 THEN 'ffffffff-ffff-7fff-bfff-ffffffffffff' ELSE gen_random_uuid() END, now(), now(), 1, $1, $2, now() + n * interval '1 hour', now() + n * interval '1 hour' + interval '1 minute',
          CASE WHEN n = 3000 THEN 'stumble' ELSE 'x' END FROM generate_series(1, 3000) n`,
      [organization.id, employee.id],
    )
    const left = () =>
      database.manager.query(`SELECT FROM "meeting" WHERE "employeeId" = $1 AND "notes" IS NOT NULL`, [employee.id])
    await api.post(`${iri(employee)}/erase`, { confirm: 'Long' }).expect(202)
    await database.query(
      `CREATE FUNCTION "stumble"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stumbled'; END $$`,
    )
    await database.query(`CREATE TRIGGER "stumbles" BEFORE UPDATE ON "meeting" FOR EACH ROW WHEN (OLD."notes" = 'stumble')
      EXECUTE FUNCTION "stumble"()`)
    const payload = { organization: organization.id, employee: employee.id }
    try {
      await expect(jobs.eraseNotes(payload)).rejects.toThrow('stumbled')
    } finally {
      await database.query(`DROP FUNCTION "stumble" CASCADE`)
    }
    expect(await left()).toHaveLength(1000)
    await jobs.eraseNotes(payload)
    expect(await left()).toHaveLength(0)
  })

  test('revokes the invitations to its address, and erases them with their mails', async () => {
    const email = 'invited@once.example'
    const { body } = await api.post('/organization-user-invitations', { email, name: 'Ina Invited' }).expect(201)
    const past = await givenInvitation({ email, invitedBy: tenant.users.owner, revokedAt: new Date() })
    const theirs = { organizationId: elsewhere.organization.id, email, invitedBy: elsewhere.users.owner }
    const foreign = await givenInvitation(theirs)
    const employee = await given(Employee, { name: 'Ina', email: email.toUpperCase() })
    await api.post(`${iri(employee)}/erase`, { confirm: 'Ina' }).expect(201)
    for (const id of [body.id, past.id])
      expect(await database.manager.findOneByOrFail(OrganizationUserInvitation, { id })).toMatchObject({
        ...{ email: 'erased@erased.invalid', name: null, status: 'revoked' },
      })
    expect(await database.manager.findOneByOrFail(OrganizationUserInvitation, { id: foreign.id })).toMatchObject({
      email,
    })
    expect(await columnsWith('Ina Invited')).toEqual([])
    expect(await columnsWith('invited@once.example')).toEqual(['organization_user_invitation.email'])
  })
})

describe('the audit log', () => {
  const target = '/employees/named'
  const update = (set: string, named = target, about = target) =>
    TenantScope.of(organization.id)
      .view(served)
      .transaction(async (manager) => {
        await manager.query(`SET LOCAL "app.erased_person" = '${named}'`)
        await manager.query(`UPDATE "audit_event" SET ${set} WHERE "target" = '${about}'`)
      })

  test('refuses each update but the erasure of values in events of the named target', async () => {
    await given(AuditEvent, {
      action: 'employee.update',
      target,
      changes: { name: ['Ada', null], active: [true, false] },
    })
    const erased = { name: ['[erased]', null], active: [true, false] }
    const set = (changes: object) => `"changes" = '${JSON.stringify(changes)}'`
    for (const wrong of [
      set({ ...erased, name: ['Bob', null] }),
      set({ ...erased, name: ['[erased]', '[erased]'] }),
      set({ ...erased, name: ['[erased]'] }),
      set({ ...erased, name: '[erased]' }),
      set({ ...erased, more: ['[erased]', null] }),
      set({ name: ['[erased]', null] }),
      set({}),
      `${set(erased)}, "at" = now()`,
      `${set(erased)}, "actorId" = NULL, "action" = 'x'`,
      `"version" = 2`,
    ])
      await expect(update(wrong)).rejects.toThrow('only ever added to')
    const empty = await given(AuditEvent, { action: 'x', target: '/employees/empty', changes: { name: [] as never } })
    await expect(update(set({ name: ['x', 'y'] }), empty.target, empty.target)).rejects.toThrow('only ever added to')
    await expect(update(set(erased), '/employees/other')).rejects.toThrow('only ever added to')
    await expect(update(set(erased), '')).rejects.toThrow('only ever added to')
    await expect(
      TenantScope.of(organization.id)
        .view(served)
        .transaction(async (manager) => {
          await manager.query(`SET LOCAL "app.erased_person" = '${target}'`)
          await manager.query(`DELETE FROM "audit_event" WHERE "target" = '${target}'`)
        }),
    ).rejects.toThrow('only ever added to')
    await update(set(erased))
    expect((await database.manager.findOneByOrFail(AuditEvent, { target })).changes).toEqual(erased)
  })
})
