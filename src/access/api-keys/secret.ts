import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** The start of every key. Scanners of secrets find a leaked key by it, and no token of an issuer begins so. */
const prefix = 'orgkey_'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 256 bits in base 62. */
const randomLength = 43

/** 32 bits in base 62. */
const checksumLength = 6

/** The prefix, 43 random digits, and six of the checksum. */
const form = /^orgkey_[\dA-Za-z]{49}$/

/** A key of 256 random bits. Its checksum tells a mistyped key, or a text that only looks like one, without a query. */
export function newSecret(): string {
  const random = inBase62(BigInt(`0x${randomBytes(32).toString('hex')}`), randomLength)
  return prefix + random + checksumOf(random)
}

/** Whether a bearer token is meant as an API key. */
export function isApiKey(token: string): boolean {
  return token.startsWith(prefix)
}

/** Whether a key has its length and its checksum. */
export function isWellFormed(secret: string): boolean {
  return form.test(secret) && checksumOf(secret.slice(prefix.length, -checksumLength)) === secret.slice(-checksumLength)
}

/** The part of a key by which people recognize it. */
export function hintOf(secret: string): string {
  return `${prefix}…${secret.slice(-4)}`
}

/** The checksum that GitHub's tokens have: CRC-32 in base 62. */
function checksumOf(random: string): string {
  return inBase62(BigInt(crc32(random)), checksumLength)
}

function inBase62(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; rest > 0n; rest /= 62n) text = digits[Number(rest % 62n)] + text
  return text.padStart(length, '0')
}
