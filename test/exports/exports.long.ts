import jsonld, { type JsonLdDocument } from 'jsonld'
import Papa from 'papaparse'
import sharp from 'sharp'
import { AuditEvent, Location, OrganizationExport, OutgoingMail, User } from '../../entities/index.ts'
import { insertRow } from '../../src/hydra/index.ts'
import { eventually } from '../support/eventually.ts'
import { jobs } from '../support/jobs.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { rowsOf } from '../support/rows/sample-rows.ts'
import { openWorld } from '../support/world.ts'
import { download, exported } from './archives.ts'

const { as, database, elsewhere, ending, foundTenant, given, operator, publicUrl, tenant } = await openWorld()
const { owner, admin, member } = tenant.users
const own = { organizationId: tenant.organization.id }
const rows = await rowsOf(tenant)
await rowsOf(elsewhere)
await database.manager.update(User, { id: owner.id }, { email: 'olga@acme.example' })
const logo = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } })
  .png()
  .toBuffer()
await as(owner).post('/organizations/logo').attach('file', logo, 'l.png').expect(201)
// More than two pages.
for (let n = 0; n < 230; n++) await given(Location, { name: `=Location ${n}` })

type Document = Record<string, unknown> & { '@id': string }

let made: Record<string, never>
let files: Record<string, Buffer>

const text = (name: string) => files[name].toString()
const json = (name: string) => JSON.parse(text(name))

beforeAll(async () => {
  made = await exported(tenant)
  files = await download(tenant, made.archive)
})

describe('the archive', () => {
  test('has each collection that the owner can list, with the rows and values of a GET', async () => {
    const { at, collections } = json('manifest.json')
    const { body: entrypoint } = await as(owner).get('/')
    const listed = (entrypoint.collection as Document[])
      .map(({ '@id': path }) => path)
      .filter((p) => p !== '/countries')
    const named = collections.map(({ jsonld }: { jsonld: string }) => jsonld.replace(/jsonld\/(.*)\.jsonld/, '/$1'))
    expect(named.sort()).toEqual([...listed, '/organizations-mail-footer'].sort())
    for (const path of listed) {
      const { body } = await as(owner).get(`${path}?itemsPerPage=100`).expect(200)
      const archived: Document[] = json(`jsonld${path}.jsonld`).member
      const ids = archived.map(({ '@id': id }) => id)
      for (const seen of body.member as Document[]) {
        // The export itself changes while it runs, and later rows, such as deliveries of its events, cannot be in it.
        if (seen['@id'] === made['@id'] || Date.parse(seen.createdAt as string) >= Date.parse(at)) continue
        const kept = archived.find(({ '@id': id }) => id === seen['@id']) as Document
        expect([path, ids]).toEqual([path, expect.arrayContaining([seen['@id']])])
        for (const [name, value] of Object.entries(kept)) expect([name, value]).toEqual([name, seen[name]])
      }
    }
    expect(json('jsonld/locations.jsonld').member).toHaveLength(231)
    expect(json('jsonld/audit-events.jsonld').member.map(({ action }: Document) => action)).toContain('test')
  })

  test('has the same rows as CSV, with formulas made harmless', async () => {
    for (const { rows, csv, jsonld } of json('manifest.json').collections) {
      const { data, meta } = Papa.parse<Document>(text(csv), { header: true, skipEmptyLines: true })
      const { member = [json(jsonld)] } = json(jsonld)
      expect([csv, data.length]).toEqual([csv, rows])
      expect(data.map(({ '@id': id }) => id)).toEqual(member.map(({ '@id': id }: Document) => id))
      expect(meta.fields?.slice(0, 2)).toEqual(['@id', '@type'])
    }
    expect(text('csv/locations.csv')).toContain("'=Location 7")
    expect(text('csv/locations.csv')).not.toMatch(/,=Location/)
  })

  test('has documents that a JSON-LD processor reads without any other file', async () => {
    const documentLoader = () => Promise.reject(new Error('no network'))
    const read = (name: string) =>
      jsonld.expand(json(name) as JsonLdDocument, { documentLoader, safe: true } as object) as Promise<Document[]>
    const [{ '@id': id }] = await read('jsonld/employees.jsonld')
    expect(id).toBe(`${publicUrl}/employees`)
    const [footer] = await read('jsonld/organizations-mail-footer.jsonld')
    expect(footer['@id']).toBe(`${publicUrl}/organizations/mail-footer`)
  })

  test('has the images, the contexts, a readme and a manifest', () => {
    expect(files['images/logo.png'].subarray(1, 4).toString()).toBe('PNG')
    expect(json('contexts/Meeting.jsonld')['@context']).toHaveProperty('employee')
    expect(text('README.txt')).toContain('Acme (acme)')
    expect(json('manifest.json')).toMatchObject({ organization: { slug: 'acme' }, service: publicUrl })
  })

  test('has no row of another organization, and no secret', () => {
    const everything = Object.values(files).map(String).join('\n')
    expect(everything).not.toContain(elsewhere.organization.id)
    expect(everything).not.toContain('elsewhere')
    expect(everything).not.toMatch(/"(hash|tokenHash|sealed\w*|subject)"/)
    expect(json('jsonld/api-keys.jsonld').member[0].secret).toBeNull()
  })
})

describe('an export', () => {
  test('says its progress, its size and when it is deleted', () => {
    const days = (Date.parse(made.expiresAt) - Date.parse(made.finishedAt)) / (24 * 60 * 60 * 1000)
    expect(made).toMatchObject({ status: 'ready', progress: 100, requestedBy: `/users/${owner.id}` })
    expect(made.size).toBeGreaterThan(10_000)
    expect(days).toBeCloseTo(7, 3)
  })

  test('is told to the owners by mail, in the language of the organization', async () => {
    const [mail] = await database.manager.findBy(OutgoingMail, { about: made['@id'] })
    expect(mail).toMatchObject({ recipient: 'olga@acme.example', subject: 'Export van Acme is klaar' })
    expect(mail.text).toContain(`${publicUrl}${made['@id']}`)
  })

  test('is downloaded by owners of its organization only, and each download is audited', async () => {
    const { archive } = made as Record<string, string>
    await as().get(archive).expect(401)
    for (const other of [admin, member, operator]) await as(other).get(archive).expect(403)
    await as(elsewhere.users.owner).get(archive).expect(404)
    await as(owner).get('/organization-exports/x/archive').expect(404)
    await as(owner).post(archive).expect(405)
    const before = await downloads()
    const { headers } = await as(owner).head(archive).expect(200)
    expect(headers).toMatchObject({
      'cache-control': 'private, no-store',
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${made.name}"`,
      'content-length': `${made.size}`,
    })
    expect(await downloads()).toBe(before)
    await download(tenant, archive)
    expect(await downloads()).toBe(before + 1)
  })

  test('that runs is returned again, and more than three in a day are refused with 429', async () => {
    const { users } = await foundTenant('Busy', 'busy')
    const busy = as(users.owner)
    const [first, second] = await Promise.all([1, 2].map(() => busy.post('/organizations/export').expect(202)))
    expect(second.body['@id']).toBe(first.body['@id'])
    expect(first.headers['content-location']).toBe(first.body['@id'])
    expect(first.body).toMatchObject({ status: 'pending', progress: 0, archive: null })
    await busy.get(`${first.body['@id']}/archive`).expect(404)
    const { organizationId, requestedById } = await row(first.body.id)
    await database.manager.update(OrganizationExport, { organizationId }, { status: 'failed' })
    for (let n = 0; n < 2; n++) {
      const another = Object.assign(new OrganizationExport(), { organizationId, requestedById, status: 'failed' })
      await insertRow(database.manager, another)
    }
    const { headers } = await busy.post('/organizations/export').expect(429)
    expect(Number(headers['retry-after'])).toBeGreaterThan(86_000)
  })

  test('starts again after a crash, and replaces what the dead job has stored', async () => {
    const crashed = await foundTenant('Crashed', 'crashed')
    const { body } = await as(crashed.users.owner).post('/organizations/export').expect(202)
    const { organizationId, id } = await row(body.id)
    await database.manager.update(OrganizationExport, { organizationId, id }, { status: 'running', attempts: 1 })
    await database.query(
      `INSERT INTO "organization_export_part" SELECT $1, $2, n, decode('00', 'hex') FROM generate_series(0, 3) n`,
      [organizationId, id],
    )
    await Promise.all([1, 2].map(() => jobs.exportOrganization({ organizationId, id })))
    expect(await row(id)).toMatchObject({ status: 'ready', attempts: 2 })
    const found = await download(crashed, `/organization-exports/${id}/archive`)
    expect(JSON.parse(found['manifest.json'].toString()).organization.slug).toBe('crashed')
    expect(await database.manager.countBy(OutgoingMail, { about: body['@id'] })).toBe(0)
  })

  test('keeps its last state where a write of its progress takes longer than the rest of the job', async () => {
    const slow = await foundTenant('Slow', 'slow')
    const { body } = await as(slow.users.owner).post('/organizations/export').expect(202)
    const { organizationId, id } = await row(body.id)
    await database.query(
      `CREATE FUNCTION "wait"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';
      CREATE TRIGGER "wait" BEFORE UPDATE ON "organization_export" FOR EACH ROW
        WHEN (NEW."progress" BETWEEN 1 AND 99) EXECUTE FUNCTION "wait"()`,
    )
    let done = Promise.resolve()
    await database.transaction(async (locking) => {
      await locking.query('LOCK TABLE "location"')
      done = jobs.exportOrganization({ organizationId, id })
      // The progress is written for the first time after a second.
      await locking.query('SELECT pg_sleep(1.2)')
    })
    await done
    const writing = () => database.query(`SELECT FROM pg_locks WHERE "relation" = '"organization_export"'::regclass`)
    await eventually(writing, (held) => expect(held).toEqual([]))
    await database.query('DROP FUNCTION "wait" CASCADE')
    expect(await row(id)).toMatchObject({ status: 'ready', progress: 100 })
  })

  test('has failed where each of its five runs has ended the process', async () => {
    const { users } = await foundTenant('Fatal', 'fatal')
    const { body } = await as(users.owner).post('/organizations/export').expect(202)
    const { organizationId, id } = await row(body.id)
    await database.manager.update(OrganizationExport, { organizationId, id }, { status: 'running', attempts: 5 })
    await jobs.exportOrganization({ organizationId, id })
    expect(await row(id)).toMatchObject({ status: 'failed', expiresAt: expect.any(Date) })
    const again = await as(users.owner).post('/organizations/export').expect(202)
    expect(again.body['@id']).not.toBe(body['@id'])
  })

  test('is made by the built server, whose libraries are bundled', async () => {
    const built = await foundTenant('Built', 'built')
    const server = new ServerProcess(serverEnvironment('exports'))
    ending.unshift(() => server.close())
    await server.start()
    const { body } = await as(built.users.owner).post('/organizations/export').expect(202)
    const isReady = async () => expect((await row(body.id)).status).toBe('ready')
    await eventually(isReady, undefined, 30)
    const found = await download(built, `/organization-exports/${body.id}/archive`)
    expect(JSON.parse(found['manifest.json'].toString()).organization.slug).toBe('built')
    // It would run the jobs of the next tests.
    await server.close()
  })

  test('is allowed while the organization is closed, and then has no links to its operations', async () => {
    const shut = await foundTenant('Shut', 'shut', { status: 'closed' })
    const { archive } = await exported(shut)
    const found = await download(shut, archive)
    expect(JSON.parse(found['jsonld/organizations.jsonld'].toString()).member[0]).not.toHaveProperty('clear')
  })

  test('is deleted with its archive when its time is over', async () => {
    const { id } = made as Record<string, string>
    await database.manager.update(OrganizationExport, { ...own, id }, { expiresAt: new Date() })
    await jobs.expireExports()
    await as(owner).get(made['@id']).expect(404)
    await as(owner).get(made.archive).expect(404)
    const parts = await database.query(`SELECT FROM "organization_export_part" WHERE "exportId" = $1`, [id])
    expect(parts).toEqual([])
    expect(await database.manager.existsBy(OrganizationExport, { ...own, id: rows.OrganizationExport.id })).toBe(true)
  })
})

const row = (id: string) => database.manager.findOneByOrFail(OrganizationExport, { id })

const downloads = () => database.manager.countBy(AuditEvent, { ...own, action: 'organizationExport.download' })
