import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CompactEncrypt,
  type CryptoKey,
  importJWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { openWorld } from '../world.ts'

const { issuer, publicUrl, tenant } = await openWorld()

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
export const token = (
  claims: JWTPayload = {},
  changed: Partial<JWTHeaderParameters> = {},
  signer: Parameters<SignJWT['sign']>[0] = key,
) => new SignJWT({ ...good, ...claims }).setProtectedHeader({ ...header, ...changed }).sign(signer)

const without = (name: string) => token({ [name]: undefined })
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
export const truth = await token()
const [head, , signature] = truth.split('.')

/** Credentials that are no good, each for a reason of its own. */
export const forgeries: [what: string, authorization: string][] = [
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

function extended(): Promise<string> {
  const demanding = { ...header, crit: ['https://example.com/must'], 'https://example.com/must': true }
  return new SignJWT(good).setProtectedHeader(demanding).sign(key, { crit: { 'https://example.com/must': true } })
}

function encrypted(): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(good))
  const sealed = new CompactEncrypt(text).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: jwk.kid })
  return sealed.encrypt(publicKey)
}
