import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import {
  CompactEncrypt,
  type CryptoKey,
  createLocalJWKSet,
  importJWK,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { OrganizationUser, type User } from '../entities/index.ts'
import { api, as, database, given, issuer, organization, person, publicUrl, tenant, tokenOf } from './world/index.ts'

const { owner } = tenant.users
const jwk = JSON.parse(
  await readFile(join(JSON.parse(process.env.TEST_POSTGRES ?? '{}').directory, 'keys', 'token-key.json'), 'utf8'),
)
const key = (await importJWK(jwk, 'ES256')) as CryptoKey
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })

const now = Math.floor(Date.now() / 1000)
const good: JWTPayload = { sub: owner.subject, iss: issuer.issuer, aud: issuer.audience, iat: now, exp: now + 3600 }
const header: JWTHeaderParameters = { alg: 'ES256', kid: jwk.kid, typ: 'JWT' }

/** A token of the owner with something about it changed. */
const token = (
  claims: JWTPayload = {},
  changed: Partial<JWTHeaderParameters> = {},
  signer: Parameters<SignJWT['sign']>[0] = key,
) => new SignJWT({ ...good, ...claims }).setProtectedHeader({ ...header, ...changed }).sign(signer)

const without = (name: string) => token({ [name]: undefined })
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const truth = await token()
const [head, , signature] = truth.split('.')

const forgeries: [what: string, authorization: string][] = [
  ['no algorithm', `Bearer ${new UnsecuredJWT(good).encode()}`],
  ['no algorithm, but the key named', `Bearer ${base64({ ...header, alg: 'none' })}.${base64(good)}.`],
  ['"None" in capitals', `Bearer ${base64({ ...header, alg: 'None' })}.${base64(good)}.${signature}`],
  ['the public key as an HMAC secret', `Bearer ${await token({}, { alg: 'HS256' }, Buffer.from(pem as string))}`],
  ['the public JWK as an HMAC secret', `Bearer ${await token({}, { alg: 'HS256' }, Buffer.from(JSON.stringify(jwk)))}`],
  ['another key under the same kid', `Bearer ${await token({}, {}, privateKey)}`],
  [
    'another key, sent along',
    `Bearer ${await token({}, { jwk: publicKey.export({ format: 'jwk' }) as never }, privateKey)}`,
  ],
  ['another key, to be fetched', `Bearer ${await token({}, { jku: `${publicUrl}/keys` }, privateKey)}`],
  ['a kid that nobody has', `Bearer ${await token({}, { kid: '../../../dev/null' })}`],
  ['an algorithm of another kind of key', `Bearer ${await token({}, { alg: 'RS256' }, rsa.privateKey)}`],
  ['another issuer', `Bearer ${await token({ iss: 'https://issuer.example' })}`],
  ['an issuer with a slash more', `Bearer ${await token({ iss: `${issuer.issuer}/` })}`],
  ['no issuer', `Bearer ${await without('iss')}`],
  ['another audience', `Bearer ${await token({ aud: 'https://audience.example' })}`],
  ['no audience', `Bearer ${await without('aud')}`],
  ['no expiry', `Bearer ${await without('exp')}`],
  ['an expiry that is a text', `Bearer ${await token({ exp: '9999999999' as never })}`],
  ['an expiry in the past', `Bearer ${await token({ exp: now - 1 })}`],
  ['a beginning in the future', `Bearer ${await token({ nbf: now + 3600 })}`],
  ['no subject', `Bearer ${await without('sub')}`],
  ['an empty subject', `Bearer ${await token({ sub: '' })}`],
  ['a subject that is a list', `Bearer ${await token({ sub: [owner.subject] as never })}`],
  ['other claims under a good signature', `Bearer ${head}.${base64({ ...good, sub: 'operator' })}.${signature}`],
  ['no signature', `Bearer ${head}.${base64(good)}.`],
  ['a signature cut short', `Bearer ${truth.slice(0, -4)}`],
  ['an extension that must be understood', `Bearer ${await extended()}`],
  ['an encrypted token', `Bearer ${await encrypted()}`],
  ['two parts', `Bearer ${head}.${signature}`],
  ['garbage', 'Bearer garbage'],
  ['nothing', 'Bearer '],
  ['no scheme', truth],
  ['the Basic scheme', `Basic ${Buffer.from('owner:secret').toString('base64')}`],
  ['a token under the Basic scheme', `Basic ${truth}`],
  ['two tokens', `Bearer ${truth}, Bearer ${truth}`],
  ['two tokens after one another', `Bearer ${truth} ${truth}`],
  ['ten thousand characters', `Bearer ${await token({ padding: 'x'.repeat(10_000) })}`],
]

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

test('the same subject of another issuer is somebody else', async () => {
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

describe('a change of membership holds from the very next request', () => {
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
})

test('what another process changes holds within a second', async () => {
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

function extended(): Promise<string> {
  const demanding = { ...header, crit: ['https://example.com/must'], 'https://example.com/must': true }
  return new SignJWT(good).setProtectedHeader(demanding).sign(key, { crit: { 'https://example.com/must': true } })
}

function encrypted(): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(good))
  const sealed = new CompactEncrypt(text).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: jwk.kid })
  return sealed.encrypt(publicKey)
}
