import { AuditEvent, Language, OrganizationModule, Subscription, User } from '../../../entities/index.ts'
import { withoutTimeouts } from '../../../ormconfig.ts'
import { enqueueUnprovisioned, provisionOrganization } from '../../../src/workspace/provision.ts'
import { eventually } from '../../support/eventually.ts'
import { startJobs } from '../../support/jobs.ts'
import { openStream } from '../../support/requests/event-stream.ts'
import { morning, openWorld } from '../../support/world.ts'

const { as, database, ending, given, givenAddress, operator, publicUrl, tokenOf } = await openWorld()

const provision = provisionOrganization(database)
const newcomer = (subject: string) => Object.assign(new User(), { subject })
let founded = 0

/** A new organization that no job has come to yet, and its owner. */
async function found() {
  const owner = as(newcomer(`founder-${++founded}`))
  const { status, body } = await owner.post('/organizations', { name: `New ${founded}` })
  expect(status).toBe(201)
  return { owner, body, iri: body['@id'], organization: body.id as string }
}

type Progress = { name: string; status: string; updatedAt: string }[]
const told = (progress: Progress) => progress.map(({ name, status }) => `${name} ${status}`)
const jobsFor = (organization: string) =>
  database.query(`SELECT "key" FROM graphile_worker.jobs WHERE "key" = $1`, [`provision:${organization}`])

test('a new organization tells what is being set up, and is active once that is done', async () => {
  const { owner, body, iri } = await found()
  expect(body.status).toBe('provisioning')
  expect(told(body.databaseStatus)).toEqual([
    'configuration ready',
    'mailFooter ready',
    'languages ready',
    'modules pending',
  ])
  for (const { updatedAt } of body.databaseStatus) expect(Date.now() - Date.parse(updatedAt)).toBeLessThan(5000)
  expect((await owner.get(iri)).body).toEqual(body)

  const jobs = await startJobs()
  try {
    const ready = await eventually(
      async () => (await owner.get(iri)).body,
      ({ status }) => expect(status).toBe('active'),
    )
    expect(ready.databaseStatus).toBeNull()
    expect(ready.organizationModules).toHaveLength(4)
    expect((await owner.get('/languages')).body.member.map(({ id }: Language) => id)).toEqual(['en', 'nl'])
  } finally {
    await jobs.stop()
  }
})

test('a stream shows each step, so an open page shows it', async () => {
  const { owner, iri, organization } = await found()
  const stream = await openStream(`${publicUrl}/.well-known/mercure?topic=${iri}`, {
    Authorization: `Bearer ${await tokenOf(newcomer(`founder-${founded}`))}`,
  })
  // The last step waits for this lock, so that the one before it is seen.
  await database.query(`CREATE FUNCTION "wait"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock(1764); RETURN NEW; END $$`)
  await database.query(`CREATE TRIGGER "waits" BEFORE UPDATE ON "organization" FOR EACH ROW
    WHEN (NEW."status" = 'active' AND OLD."status" = 'provisioning') EXECUTE FUNCTION "wait"()`)
  const holder = database.createQueryRunner()
  await holder.query('SELECT pg_advisory_lock(1764)')
  // The lock is held for longer than a job waits for one.
  const patient = await withoutTimeouts(database).initialize()
  ending.unshift(() => patient.destroy())
  const done = provisionOrganization(patient)({ organization })
  expect(await stream.next()).toMatchObject({ '@id': iri, type: 'update', collection: '/organizations' })
  const { body: half } = await owner.get(iri)
  expect([half.status, told(half.databaseStatus).at(-1)]).toEqual(['provisioning', 'modules ready'])
  await holder.query('SELECT pg_advisory_unlock(1764)')
  await holder.release()
  await done
  expect(await stream.next()).toMatchObject({ '@id': iri, type: 'update' })
  expect((await owner.get(iri)).body).toMatchObject({ status: 'active', databaseStatus: null })
  stream.close()
  await database.query(`DROP FUNCTION "wait" CASCADE`)
})

test('whatever its people do before it is done works', async () => {
  const { owner, body, iri, organization } = await found()
  const clock = { ...morning, time: '1970-01-01T11:00:00Z' }
  expect((await owner.post('/meetings', { employee: null, ...clock })).body.time).toBe('2026-04-01T09:00:00Z')
  expect((await owner.get('/languages')).body.member.map(({ id }: Language) => id)).toEqual(['en', 'nl'])
  expect((await owner.post('/languages', { id: 'de' })).status).toBe(201)
  expect((await owner.post('/locations', { name: 'Office', officeOpenHour: 8, officeCloseHour: 9 })).status).toBe(201)
  expect((await owner.post('/employees', { name: 'Ada' })).status).toBe(201)
  expect((await owner.get('/organizations/mail-footer')).body.mailFooter).toBeNull()
  expect((await owner.patch('/organizations/mail-footer', { mailFooter: '<p>Early</p>' })).status).toBe(200)
  const { member: configs } = (await owner.get('/organization-configs')).body
  expect(configs).toHaveLength(8)
  const { '@id': config } = configs.find(({ key }: { key: string }) => key === 'currency')
  expect((await owner.patch(config, { value: 'USD' })).status).toBe(200)
  for (const path of ['/organization-modules', '/organization-users', '/audit-events', '/subscriptions', '/users'])
    expect([path, (await owner.get(path)).status]).toEqual([path, 200])
  expect((await owner.patch(iri, { name: 'Renamed' })).status).toBe(200)
  expect((await owner.post('/organizations/clear', { confirm: body.slug })).status).toBe(409)

  await provision({ organization })
  expect((await owner.get(iri)).body).toMatchObject({ status: 'active', databaseStatus: null, name: 'Renamed' })
  expect((await owner.get('/languages')).body.totalItems).toBe(3)
  expect((await owner.get('/organizations/mail-footer')).body.mailFooter).toBe('<p>Early</p>')
  expect((await owner.get(config)).body.value).toBe('USD')
})

test('a subscription made before the modules are there enables them all the same', async () => {
  const { owner, iri, organization } = await found()
  await as(operator).patch(iri, { manualBilling: true })
  await givenAddress({ organizationId: organization })
  const response = await owner.post('/subscriptions', { modules: ['banking'] })
  expect(response.status).toBe(201)
  await as(operator).post(`${response.body['@id']}/confirm`).expect(201)
  await provision({ organization })
  expect(
    await database.manager.findOneBy(OrganizationModule, { organizationId: organization, name: 'banking' }),
  ).toMatchObject({ enabled: true, source: 'subscription' })
})

test('a job that is retried after a crash continues where it stopped', async () => {
  const { owner, iri, organization } = await found()
  await database.query(`CREATE FUNCTION "die"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'died'; END $$`)
  await database.query(`CREATE TRIGGER "dies" BEFORE INSERT ON "organization_module" EXECUTE FUNCTION "die"()`)
  await expect(provision({ organization })).rejects.toThrow('died')
  await database.query(`DROP FUNCTION "die" CASCADE`)
  const { body: half } = await owner.get(iri)
  expect(half.status).toBe('provisioning')
  expect(told(half.databaseStatus).slice(2)).toEqual(['languages ready', 'modules pending'])

  await provision({ organization })
  const { body, headers } = await owner.get(iri)
  expect(body).toMatchObject({ status: 'active', databaseStatus: null })
  await provision({ organization })
  expect((await owner.get(iri)).headers.etag).toBe(headers.etag)
})

test('two at once set up one', async () => {
  const { owner, iri, organization } = await found()
  await Promise.all([1, 2, 3].map(() => provision({ organization })))
  expect((await owner.get(iri)).body).toMatchObject({ status: 'active', databaseStatus: null })
  expect(await database.manager.countBy(Language, { organizationId: organization })).toBe(2)
  expect(await database.manager.countBy(OrganizationModule, { organizationId: organization })).toBe(4)
})

test('one whose job was lost, or is held by a process that died, is taken up by the clock', async () => {
  const lost = await found()
  const held = await found()
  await database.query(`SELECT graphile_worker.remove_job($1)`, [`provision:${lost.organization}`])
  await database.query(
    `UPDATE graphile_worker._private_jobs SET "locked_at" = now(), "locked_by" = 'a process that died' WHERE "key" = $1`,
    [`provision:${held.organization}`],
  )
  expect(await jobsFor(lost.organization)).toHaveLength(0)
  await enqueueUnprovisioned(database)
  expect(await jobsFor(lost.organization)).toHaveLength(0)

  const jobs = await startJobs()
  try {
    await enqueueUnprovisioned(database, 0)
    for (const { owner, iri } of [lost, held])
      await eventually(
        async () => (await owner.get(iri)).body,
        ({ status, databaseStatus }) => expect([status, databaseStatus]).toEqual(['active', null]),
      )
  } finally {
    await jobs.stop()
  }
})

test('one that is refused is not set up, and one that is set up is not taken up again', async () => {
  const owner = as(newcomer('refused'))
  const before = await database.query('SELECT count(*) FROM graphile_worker.jobs')
  expect((await owner.post('/organizations', { name: 'Taken', slug: 'acme' })).status).toBe(422)
  await enqueueUnprovisioned(database, 0)
  expect(await database.query('SELECT count(*) FROM graphile_worker.jobs')).toEqual(before)
})

test('missing defaults are inserted when the operator sets the status to provisioning', async () => {
  const { owner, iri, organization } = await found()
  await provision({ organization })
  await database.manager.delete(Language, { organizationId: organization, id: 'en' })
  await database.query(`SELECT graphile_worker.remove_job($1)`, [`provision:${organization}`])
  await as(operator).patch(iri, { status: 'provisioning' }).expect(200)
  expect(await jobsFor(organization)).toHaveLength(1)
  await provision({ organization })
  expect((await owner.get(iri)).body.status).toBe('active')
  expect((await owner.get('/languages')).body.totalItems).toBe(2)
})

describe.each(['suspended', 'closed'])('An organization that is %s', (status) => {
  test('can be read but not changed, and says so', async () => {
    const { owner, iri, organization } = await found()
    await as(operator).patch(iri, { status }).expect(200)
    await provision({ organization })
    for (const path of [iri, '/organizations', '/meetings', '/employees', '/organization-configs', '/audit-events'])
      expect([path, (await owner.get(path)).status]).toEqual([path, 200])
    const { body } = await owner.get(iri)
    expect(body).toMatchObject({ status, databaseStatus: null, mailFooter: '/organizations/mail-footer' })
    for (const link of ['clear', 'uploadLogo', 'uploadIcon', 'setupKontomatik']) expect(body).not.toHaveProperty(link)

    const refused = [
      await owner.post('/meetings', { employee: null, ...morning }),
      await owner.patch(iri, { name: 'x' }),
      await owner.patch('/organizations/mail-footer', { mailFooter: 'x' }),
      await owner.post('/organizations/clear', { confirm: body.slug }),
      await owner.post('/subscriptions', {}),
      await owner.delete('/organization-addresses/01900000-0000-7000-8000-000000000000'),
    ]
    for (const { status: answered, body: problem } of refused) {
      expect(answered).toBe(403)
      expect(problem.detail).toContain(`Your organization is ${status}`)
    }
    await as(operator).patch(iri, { status: 'active' }).expect(200)
    expect((await owner.patch(iri, { name: 'Open again' })).status).toBe(200)
    const events = await database.manager.findBy(AuditEvent, {
      organizationId: organization,
      action: 'organization.update',
    })
    expect(events.map(({ changes }) => changes.status)).toContainEqual(['provisioning', status])
  })

  test('can still be paid for, and its subscription be cancelled', async () => {
    const { owner, iri, organization } = await found()
    await as(operator).patch(iri, { manualBilling: true, status })
    const address = await givenAddress({ organizationId: organization })
    const running = { organizationId: organization, organizationAddress: address, seats: 1, status: 'active' }
    const { id } = await given(Subscription, running)
    expect((await owner.get(`/subscriptions/${id}`)).body.cancel).toBe(`/subscriptions/${id}/cancel`)
    expect((await owner.patch(`/subscriptions/${id}`, { seats: 5 })).status).toBe(403)
    expect((await owner.post('/payment-methods/setup')).status).not.toBe(403)
    expect((await owner.post(`/subscriptions/${id}/cancel`)).status).toBe(201)
  })

  test('leaves members free to use another organization', async () => {
    const first = await found()
    await as(operator).patch(first.iri, { status })
    const { status: created, body: other } = await first.owner.post('/organizations', { name: 'Another' })
    expect(created).toBe(201)
    const there = as(newcomer(`founder-${founded}`), { organization: other.id })
    expect((await there.post('/locations', { name: 'x' })).status).toBe(201)
  })
})
