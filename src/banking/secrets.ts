import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'

/** A key with the name by which what it sealed knows it. */
export interface SecretKey {
  id: string
  key: KeyObject
}

/** The row that a secret is kept in: moved to another it does not open. */
export interface SecretOwner {
  table: string
  id: string
  organization: string
}

const algorithm = 'aes-256-gcm'
const version = 'v1'

/** Reads SECRETS_KEY: keys in base64 with commas between, of which the first seals and every one opens. */
export function readKeys(text: string): SecretKey[] {
  const keys = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map(readKey)
  if (keys.length === 0) throw new Error('SECRETS_KEY must hold a key: 32 bytes in base64.')
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw new Error('SECRETS_KEY holds the same key twice.')
  return keys
}

/** @returns text that names its key: version, key, nonce, seal and content */
export function seal(text: string, keys: SecretKey[], place: SecretOwner): string {
  const [{ id, key }] = keys
  const nonce = randomBytes(12)
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(labelOf(place))
  const content = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  const parts = [nonce, cipher.getAuthTag(), content].map((part) => part.toString('base64url'))
  return [version, id, ...parts].join('.')
}

/** @throws an Error with one sentence, which quotes neither the secret nor a key. */
export function open(sealed: string, keys: SecretKey[], place: SecretOwner): string {
  const { id, nonce, tag, content } = partsOf(sealed)
  const found = keys.find((key) => key.id === id)
  if (!found)
    throw new Error(`A secret is sealed with the key ${id}, which SECRETS_KEY lacks: add it behind the others.`)
  const decipher = createDecipheriv(algorithm, found.key, nonce, { authTagLength: 16 })
  try {
    decipher.setAAD(labelOf(place)).setAuthTag(tag)
    return Buffer.concat([decipher.update(content), decipher.final()]).toString('utf8')
  } catch {
    throw new Error(`A secret of ${place.table} ${place.id} was altered, or was sealed for another row.`)
  }
}

/** Whether it should be sealed anew, before its key is taken away. */
export function needsRotation(sealed: string, keys: SecretKey[]): boolean {
  return partsOf(sealed).id !== keys[0].id
}

function readKey(text: string): SecretKey {
  const bytes = Buffer.from(text, 'base64')
  const isBase64 = [text, `${text}=`].includes(bytes.toString('base64'))
  if (!isBase64 || bytes.length !== 32)
    throw new Error('SECRETS_KEY must be 32 bytes in base64, or several with commas between: openssl rand -base64 32')
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, 8)
  return { id, key: createSecretKey(bytes) }
}

function partsOf(sealed: string): { id: string; nonce: Buffer; tag: Buffer; content: Buffer } {
  const [, id, ...parts] = /^v1\.([0-9a-f]{8})\.([\w-]{16})\.([\w-]{22})\.([\w-]*)$/.exec(sealed) ?? []
  if (!id) throw new Error('This is not a sealed secret.')
  const [nonce, tag, content] = parts.map((part) => Buffer.from(part, 'base64url'))
  return { id, nonce, tag, content }
}

/** Lengths go before, so that no two places share a label. */
function labelOf({ table, id, organization }: SecretOwner): Buffer {
  return Buffer.from([version, table, id, organization].map((part) => `${part.length}:${part}`).join('|'))
}
