import { get } from 'node:http'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { OrganizationUser, type User } from '../../entities/index.ts'
import { forgeries, token, truth } from '../support/requests/forged-tokens.ts'
import { openWorld } from '../support/world.ts'

const { api, as, database, given, issuer, organization, person, publicUrl, tenant, tokenOf } = await openWorld()

const { owner } = tenant.users

test.each(forgeries)('a token with %s is refused', async (_, authorization) => {
  for (const path of ['/organizations', '/meetings', '/countries']) {
    const { status, headers, body } = await as().get(path).set('Authorization', authorization)
    expect([path, status]).toEqual([path, 401])
    expect(headers['www-authenticate']).toMatch(/^Bearer( error="invalid_token", error_description="[^"]+")?$/)
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(headers.link).toContain('rel="http://www.w3.org/ns/hydra/core#apiDocumentation"')
    expect(body).toMatchObject({ '@id': '/errors/401', '@type': 'Error', title: 'Unauthorized', status: 401 })
    expect(JSON.stringify(body)).not.toContain(authorization.slice(7) || 'jose')
  }
})

test(`of ${forgeries.length} forgeries none is accepted, nor does any spoil a good token`, async () => {
  const answers = await Promise.all(
    forgeries.map(([, authorization]) => as().get('/meetings').set('Authorization', authorization)),
  )
  expect(answers.map(({ status }) => status).filter((status) => status !== 401)).toEqual([])
  expect((await as().get('/meetings').set('Authorization', `Bearer ${truth}`)).status).toBe(200)
  expect((await as().get('/meetings').set('Authorization', `bearer  ${truth}`)).status).toBe(200)
})

test('a forged token is refused in every method, before the body is looked at', async () => {
  const forged = { Authorization: 'Bearer garbage' }
  expect((await as().post('/locations', { name: 'x' }).set(forged)).status).toBe(401)
  expect((await as().patch('/organizations/mail-footer', { mailFooter: 'x' }).set(forged)).status).toBe(401)
  expect((await as().delete(`/organization-users/${owner.id}`).set(forged)).status).toBe(401)
  expect((await as().head('/meetings').set(forged)).status).toBe(401)
  expect((await as().post('/locations').set('Content-Type', 'text/plain').send('{')).status).toBe(401)
})

test('of two Authorization headers the second does not stand in for the first', async () => {
  const headers = ['Host', 'x', 'Authorization', 'Bearer garbage', 'Authorization', `Bearer ${truth}`]
  const status = await new Promise((resolve, reject) => {
    get(`${publicUrl}/meetings`, { headers: headers as never }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    }).on('error', reject)
  })
  expect([400, 401]).toContain(status)
})

test('a token is good until it expires, and no longer', async () => {
  const short = await issuer.sign({ sub: owner.subject, lifetime: 1 })
  const ask = () => as().get('/meetings').set('Authorization', `Bearer ${short}`)
  expect((await ask()).status).toBe(200)
  await new Promise((resolve) => setTimeout(resolve, 1100))
  const late = await ask()
  expect(late.status).toBe(401)
  expect(late.body.detail).toBe('The token has expired.')
})

test('a token without a role of its own cannot claim one', async () => {
  const claims = { sub: 'nobody-yet', role: 'owner', roles: ['owner', 'operator'], operator: true, scope: 'admin' }
  const claimed = await token({ ...claims, organization: organization.id })
  for (const path of ['/meetings', '/subscriptions', '/audit-events'])
    expect((await as().get(path).set('Authorization', `Bearer ${claimed}`)).status).toBe(403)
})

test('the same subject of another issuer is another user', async () => {
  await person(owner.subject, { issuer: 'https://issuer.example', operator: true })
  expect((await api.get('/users/me')).body['@id']).toBe(`/users/${owner.id}`)
})

test('the published keys verify a token, and open nothing themselves', async () => {
  const { status, body, headers } = await as().get('/.well-known/jwks.json')
  expect(status).toBe(200)
  expect(headers['content-type']).toMatch('application/jwk-set+json')
  for (const published of body.keys) expect(Object.keys(published)).not.toContain('d')

  const bearer = await tokenOf(owner)
  const { payload } = await jwtVerify(bearer, createLocalJWKSet(body), {
    issuer: issuer.issuer,
    audience: issuer.audience,
  })
  expect(payload.sub).toBe(owner.subject)
})

describe('From the very next request there holds', () => {
  test('a new role', async () => {
    const { user, membership } = await joined('riser')
    expect((await as(user).get('/subscriptions')).status).toBe(403)
    await api.patch(membership, { role: 'admin' })
    expect((await as(user).get('/subscriptions')).status).toBe(200)
    await api.patch(membership, { role: 'member' })
    expect((await as(user).get('/subscriptions')).status).toBe(403)
  })

  test('a suspension, and its end', async () => {
    const { user, membership } = await joined('rester')
    expect((await as(user).get('/meetings')).status).toBe(200)
    await api.patch(membership, { status: 'suspended' })
    expect((await as(user).get('/meetings')).status).toBe(403)
    expect((await as(user, { organization: organization.id }).get('/meetings')).status).toBe(403)
    expect((await as(user).get('/organizations')).body.member).toEqual([])
    expect((await as(user).get(`/organizations/${organization.id}`)).status).toBe(404)
    await api.patch(membership, { status: 'active' })
    expect((await as(user).get('/meetings')).status).toBe(200)
  })

  test('a removal', async () => {
    const { user, membership } = await joined('leaver')
    expect((await as(user).get('/meetings')).status).toBe(200)
    expect((await api.delete(membership)).status).toBe(204)
    expect((await as(user).get('/meetings')).status).toBe(403)
    expect((await as(user, { organization: organization.id }).get('/meetings')).status).toBe(403)
  })

  test('a suspension during the caller’s requests', async () => {
    for (let round = 0; round < 5; round++) {
      const { user, membership } = await joined(`busy-${round}`)
      const sessions = Array.from({ length: 40 }, (_, index) => as(user, { lifetime: 600 + index }))
      const asked = sessions.map((session) => session.get('/meetings').then(({ status }) => status))
      expect((await api.patch(membership, { status: 'suspended' })).status).toBe(200)
      await Promise.all(asked)
      const after = await Promise.all(sessions.map((session) => session.get('/meetings')))
      expect(after.map(({ status }) => status)).toEqual(Array(sessions.length).fill(403))
    }
  })
})

test('a change by another process takes effect within a second', async () => {
  const { user, membership } = await joined('watched')
  expect((await as(user).get('/meetings')).status).toBe(200)
  await database.manager.update(OrganizationUser, { id: membership.split('/').at(-1) }, { status: 'suspended' })
  await new Promise((resolve) => setTimeout(resolve, 1050))
  expect((await as(user).get('/meetings')).status).toBe(403)
})

async function joined(subject: string): Promise<{ user: User; membership: string }> {
  const user = await person(subject)
  const { id } = await given(OrganizationUser, { user, name: subject, role: 'member' })
  return { user, membership: `/organization-users/${id}` }
}
