import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'

/** A key with its id, which every text names that was sealed with it. */
export interface SecretKey {
  id: string
  key: KeyObject
}

/** The row that holds a secret. In another row the secret cannot be opened. */
export interface SecretOwner {
  table: string
  id: string
  organization: string
}

const algorithm = 'aes-256-gcm'
const version = 'v1'

/** Reads SECRETS_KEY: keys in base64, separated by commas. The first one seals, all of them open. */
export function readKeys(text: string): SecretKey[] {
  const keys = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map(readKey)
  if (keys.length === 0) throw new Error('SECRETS_KEY must hold a key of 32 bytes in base64.')
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw new Error('SECRETS_KEY holds the same key twice.')
  return keys
}

/** @returns version, key id, nonce, authentication tag and content, separated by dots */
export function seal(text: string, keys: SecretKey[], owner: SecretOwner): string {
  const [{ id, key }] = keys
  const nonce = randomBytes(12)
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(labelOf(owner))
  const content = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  const parts = [nonce, cipher.getAuthTag(), content].map((part) => part.toString('base64url'))
  return [version, id, ...parts].join('.')
}

/** @throws an Error whose message holds neither the secret nor a key */
export function open(sealed: string, keys: SecretKey[], owner: SecretOwner): string {
  const { id, nonce, tag, content } = partsOf(sealed)
  const found = keys.find((key) => key.id === id)
  if (!found) throw new Error(`SECRETS_KEY lacks the key ${id}, which sealed a secret. Add it after the other keys.`)
  const decipher = createDecipheriv(algorithm, found.key, nonce, { authTagLength: 16 })
  try {
    decipher.setAAD(labelOf(owner)).setAuthTag(tag)
    return Buffer.concat([decipher.update(content), decipher.final()]).toString('utf8')
  } catch {
    throw new Error(`A secret of ${owner.table} ${owner.id} was altered, or was sealed for another row.`)
  }
}

/** Whether another key than the first sealed the text. */
export function needsRotation(sealed: string, keys: SecretKey[]): boolean {
  return partsOf(sealed).id !== keys[0].id
}

function readKey(text: string): SecretKey {
  const bytes = Buffer.from(text, 'base64')
  const isBase64 = [text, `${text}=`].includes(bytes.toString('base64'))
  if (!isBase64 || bytes.length !== 32)
    throw new Error(
      'SECRETS_KEY must hold keys of 32 bytes in base64, separated by commas. Create one with: openssl rand -base64 32',
    )
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, 8)
  return { id, key: createSecretKey(bytes) }
}

function partsOf(sealed: string): { id: string; nonce: Buffer; tag: Buffer; content: Buffer } {
  const [, id, ...parts] = /^v1\.([0-9a-f]{8})\.([\w-]{16})\.([\w-]{22})\.([\w-]*)$/.exec(sealed) ?? []
  if (!id) throw new Error('The text is not a sealed secret.')
  const [nonce, tag, content] = parts.map((part) => Buffer.from(part, 'base64url'))
  return { id, nonce, tag, content }
}

/** Each part follows its length, so that two owners never share a label. */
function labelOf({ table, id, organization }: SecretOwner): Buffer {
  return Buffer.from([version, table, id, organization].map((part) => `${part.length}:${part}`).join('|'))
}
