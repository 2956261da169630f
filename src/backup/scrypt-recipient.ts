import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { type Identity, type Recipient, Stanza } from 'age-encryption'

// The recipient type "scrypt" of age (https://age-encryption.org/v1). Node computes scrypt in a fifth of the time that JavaScript
// takes, and does not block the process.

const kind = 'scrypt'
const label = 'age-encryption.org/v1/scrypt'

/** The highest cost that is accepted of a file, so that a strange one cannot take all memory. */
const maxCost = 22

/** @param cost the base-2 logarithm of the cost of a guess */
export function scryptRecipient(passphrase: string, cost: number): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16)
      const cipher = createCipheriv('chacha20-poly1305', await keyOf(passphrase, salt, cost), nonce, {
        authTagLength: 16,
      })
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
      return [new Stanza([kind, salt.toString('base64').replace(/={1,2}$/, ''), String(cost)], body)]
    },
  }
}

/** @returns an identity that gives no key where the passphrase is wrong */
export function scryptIdentity(passphrase: string): Identity {
  return {
    async unwrapFileKey([{ args, body }]) {
      const [type, salt, cost] = args
      if (type !== kind || body.length !== 32 || !(Number(cost) >= 1 && Number(cost) <= maxCost)) return null
      const key = await keyOf(passphrase, Buffer.from(salt, 'base64'), Number(cost))
      const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
      decipher.setAuthTag(body.subarray(16))
      try {
        return Buffer.concat([decipher.update(body.subarray(0, 16)), decipher.final()])
      } catch {
        return null
      }
    },
  }
}

/** Each key has a salt of its own, so the nonce never repeats under a key. */
const nonce = Buffer.alloc(12)

function keyOf(passphrase: string, salt: Buffer, cost: number): Promise<Buffer> {
  const N = 2 ** cost
  const options = { N, r: 8, p: 1, maxmem: 2 * 128 * N * 8 }
  return new Promise((resolve, reject) => {
    const salted = Buffer.concat([Buffer.from(label), salt])
    scrypt(passphrase, salted, 32, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
