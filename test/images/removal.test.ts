const { api, as, database, elsewhere, foundTenant, operator, organization, tenant } = await openWorld()

// The same mistake could be wherever something is set and nothing takes it back: logo, icon; by PATCH, by DELETE, in a link.
import { AuditEvent } from '../../entities/index.ts'
import { operations } from '../support/docs.ts'
import { expectProblem } from '../support/requests/raw-responses.ts'
import { openWorld } from '../support/world.ts'
import { png } from './sample-images.ts'
import { shown, upload } from './upload-requests.ts'

const path = `/organizations/${organization.id}`
const kinds = [
  ['logo', 'removeLogo'],
  ['icon', 'removeIcon'],
] as const

// RFC 7396: null removes.
test.each(kinds)('a PATCH with null removes the %s, also under strict handling, and is audited', async (kind) => {
  for (const prefer of ['handling=lenient', 'handling=strict']) {
    const address = (await upload(kind, await png())).body[kind]
    const { status, body } = await api.patch(path, { [kind]: null }).set('Prefer', prefer)
    expect([status, body[kind]]).toEqual([200, null])
    expectProblem((await as().get(address)) as never, 404)
    const [event] = await database.manager.find(AuditEvent, { order: { id: 'DESC' }, take: 1 })
    expect([event.action, event.changes]).toEqual(['organization.update', { [kind]: [address, null] }])
  }
  expect((await api.patch(path, { [kind]: null })).status).toBe(200)
})

// RFC 9110 §9.3.5, and §9.2.2: DELETE is idempotent.
test.each(kinds)('DELETE removes the %s, and may be repeated; the link %s is there only before', async (kind, link) => {
  const { body } = await upload(kind, await png())
  expect(body[link]).toBe(`/organizations/${kind}`)
  expect((await as(tenant.users.member).get(path)).body).not.toHaveProperty(link)
  const { headers } = await api.get(path)
  expect((await api.delete(body[link]).set('If-Match', '"0"')).status).toBe(412)
  expect((await api.delete(body[link]).set('If-Match', headers.etag)).status).toBe(204)
  const after = (await api.get(path)).body
  expect([after[kind], link in after]).toEqual([null, false])
  expectProblem((await as().get(body[kind])) as never, 404)
  const before = await database.manager.countBy(AuditEvent, { action: `organization.${link}` })
  expect((await api.delete(body[link])).status).toBe(204)
  expect(await database.manager.countBy(AuditEvent, { action: `organization.${link}` })).toBe(before)
  expect(before).toBeGreaterThan(0)
})

test('an image that another organization uses is kept', async () => {
  const bytes = await png()
  const { logo } = (await upload('logo', bytes)).body
  const others = as(elsewhere.users.admin)
  await upload('icon', bytes, 'x.png', others)
  await api.patch(path, { logo: null, icon: null })
  expect((await shown(logo)).status).toBe(200)
  expect((await others.delete('/organizations/icon')).status).toBe(204)
  expectProblem((await as().get(logo)) as never, 404)
})

test('an image is deleted when all its organizations remove it at the same time', async () => {
  const owners = [as((await foundTenant('One', 'one')).users.owner), as((await foundTenant('Two', 'two')).users.owner)]
  const bytes = await png()
  for (const owner of owners) await upload('logo', bytes, 'x.png', owner)
  const answers = await Promise.all(owners.map((owner) => owner.delete('/organizations/logo')))
  expect(answers.map(({ status }) => status)).toEqual([204, 204])
})

test('only owners and admins remove an image', async () => {
  const { logo } = (await upload('logo', await png())).body
  expect((await as(tenant.users.member).delete('/organizations/logo')).status).toBe(403)
  expect((await as(tenant.users.member).patch(path, { logo: null })).status).toBe(403)
  expect((await as(operator).delete('/organizations/logo')).status).toBe(403)
  expect((await as(operator).patch(path, { logo: null })).body.logo).toBe(logo)
  expect((await as().delete('/organizations/logo')).status).toBe(401)
  expect((await as(tenant.users.admin).delete('/organizations/logo')).status).toBe(204)
})

test('the removal of an image is documented', async () => {
  for (const [, name] of kinds)
    expect(operations.find((operation) => operation['@id'] === `#${name}Organization`)?.method).toBe('DELETE')
  const { body } = await as().get('/docs.jsonopenapi')
  const patch = body.paths['/organizations/{id}'].patch.requestBody.content['application/merge-patch+json'].schema
  expect(patch.properties.logo).toMatchObject({ type: ['string', 'null'], format: 'iri-reference' })
})
