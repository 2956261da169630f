import { needsRotation, open, type SecretKey, seal } from '../secrets/sealed-text.ts'

/** A row of a tenant that holds secrets. */
interface Owner {
  id: string
  organizationId: string
}

/** The two secrets of an integration. A text that was sealed as one cannot be opened as the other. */
export type Secret = 'access' | 'session'

/** Encrypts the credentials of banks before they are stored. */
export class Vault {
  readonly #keys: SecretKey[]

  constructor(keys: SecretKey[]) {
    this.#keys = keys
  }

  seal(secret: Secret, text: string, owner: Owner): string {
    return seal(text, this.#keys, ownerOf(secret, owner))
  }

  /** @throws an Error when its key is gone, or another row owns the secret */
  open(secret: Secret, sealed: string, owner: Owner): string {
    return open(sealed, this.#keys, ownerOf(secret, owner))
  }

  /** The secret sealed with the first key; undefined where it is already. */
  reseal(secret: Secret, sealed: string | null, owner: Owner): string | undefined {
    if (sealed === null || !needsRotation(sealed, this.#keys)) return undefined
    return this.seal(secret, this.open(secret, sealed, owner), owner)
  }
}

function ownerOf(secret: Secret, { id, organizationId }: Owner) {
  return { table: `integration.${secret}`, id, organization: organizationId }
}
