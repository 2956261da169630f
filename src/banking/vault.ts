import { needsRotation, open, type SecretKey, seal } from './secrets.ts'

/** A row of a tenant that keeps secrets. */
interface Owner {
  id: string
  organizationId: string
}

/** Which secret of a link it is: sealed as one, it does not open as the other. */
export type Secret = 'access' | 'session'

/** Seals what opens a bank before it is stored. */
export class Vault {
  readonly #keys: SecretKey[]

  constructor(keys: SecretKey[]) {
    this.#keys = keys
  }

  seal(secret: Secret, text: string, owner: Owner): string {
    return seal(text, this.#keys, placeOf(secret, owner))
  }

  /** @throws an Error when its key is gone, or it was sealed for another row. */
  open(secret: Secret, sealed: string, owner: Owner): string {
    return open(sealed, this.#keys, placeOf(secret, owner))
  }

  /** The same sealed with the first key; undefined when it is already. */
  renewed(secret: Secret, sealed: string | null, owner: Owner): string | undefined {
    if (sealed === null || !needsRotation(sealed, this.#keys)) return undefined
    return this.seal(secret, this.open(secret, sealed, owner), owner)
  }
}

function placeOf(secret: Secret, { id, organizationId }: Owner) {
  return { table: `integration.${secret}`, id, organization: organizationId }
}
