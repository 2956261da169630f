import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { AuditEvent } from '../../entities/index.ts'
import { openWorld } from '../support/world.ts'
import { picture, png } from './sample-images.ts'
import { shown, upload } from './upload-requests.ts'

const { api, as, database, operator, organization, person, tenant } = await openWorld()

const { admin, member } = tenant.users

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe.each(['icon', 'logo'] as const)('An uploaded %s', (kind) => {
  test.each(['png', 'jpeg', 'webp'] as const)(
    'is re-encoded as the %s that it is, and served without a token',
    async (type) => {
      const bytes = await picture(20).toFormat(type).toBuffer()
      const { status, headers, body } = await upload(kind, bytes)
      expect(status).toBe(201)
      expect(body).toMatchObject({ '@id': `/organizations/${organization.id}`, '@type': 'Organization' })
      expect(body[kind]).toMatch(/^\/images\/[0-9a-f]{64}$/)
      expect(headers.location).toBe(body['@id'])
      expect((await api.get(body['@id'])).body).toEqual(body)
      expect((await as(member).get(body['@id'])).body[kind]).toBe(body[kind])

      const image = await shown(body[kind])
      expect(image.status).toBe(200)
      expect(image.headers['content-type']).toBe(`image/${type}`)
      expect(sha256(image.body)).toBe(body[kind].slice('/images/'.length))
      expect(await sharp(image.body).metadata()).toMatchObject({ format: type, width: 20, height: 20 })
    },
  )

  test('has one event in the audit log', async () => {
    const before = (await api.get(`/organizations/${organization.id}`)).body[kind]
    const bytes = await png()
    const action = kind === 'icon' ? 'organization.uploadIcon' : 'organization.uploadLogo'
    const events = () => database.manager.find(AuditEvent, { where: { action }, order: { id: 'DESC' } })
    const known = (await events()).length
    const { body } = await upload(kind, bytes, 'x.png', as(admin))
    const [event] = await events()
    expect(event).toMatchObject({ actorId: admin.id, organizationId: organization.id, target: body['@id'] })
    expect(event.changes).toEqual({ [kind]: [before, body[kind]] })
    await upload(kind, bytes)
    expect((await events()).length).toBe(known + 1)
  })

  test('is refused before its body is read, unless an admin or owner sends it', async () => {
    const bytes = await png()
    const guest = await person(`guest-${kind}`)
    for (const [user, expected] of [
      [undefined, 401],
      [guest, 403],
      [member, 403],
      [operator, 403],
      [admin, 201],
    ] as const)
      expect([user?.subject, (await upload(kind, bytes, 'x.png', as(user))).status]).toEqual([user?.subject, expected])
    expect((await as(member).post(`/organizations/${kind}`, {})).status).toBe(403)
  })

  test.each([
    ['logo.svg', 'image/svg+xml'],
    ['logo.html', 'text/html'],
    ['../../etc/passwd', 'application/octet-stream'],
    ['\0.php', 'image/png'],
  ])('has the type of its bytes, not that of the name %j or the header %s', async (filename, contentType) => {
    const bytes = await picture().jpeg().toBuffer()
    const { status, body } = await api.post(`/organizations/${kind}`).attach('file', bytes, { filename, contentType })
    expect(status).toBe(201)
    expect((await shown(body[kind])).headers['content-type']).toBe('image/jpeg')
  })
})

describe('The documentation', () => {
  test('describes the upload form, and that an image is not a class of the API', async () => {
    const { body: openapi } = await as().get('/docs.jsonopenapi')
    const { requestBody } = openapi.paths['/organizations/logo'].post
    expect(requestBody).toMatchObject({
      required: true,
      content: {
        'multipart/form-data': {
          schema: { properties: { file: { type: 'string', format: 'binary' } }, required: ['file'] },
          encoding: { file: { contentType: 'image/png, image/jpeg, image/webp' } },
        },
      },
    })
    const iri = { type: ['string', 'null'], format: 'iri-reference', readOnly: true }
    expect(openapi.components.schemas.Organization.properties).toMatchObject({ logo: iri, icon: iri })

    const { body: docs } = await as().get('/docs.jsonld')
    const { supportedProperty } = docs.supportedClass.find(({ title }: { title: string }) => title === 'Organization')
    for (const name of ['logo', 'icon']) {
      const found = supportedProperty.find(({ title }: { title: string }) => title === name)
      expect(found).toMatchObject({ readable: true, writeable: false, required: false })
      expect(found.property).toMatchObject({ '@type': 'rdf:Property', range: 'schema:ImageObject' })
    }
  })
})
