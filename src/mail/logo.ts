import type { EntityManager } from 'typeorm'
import type { Organization } from '../../entities/index.ts'

/** An image that mail programs show: PNG, JPEG or WebP. */
export interface Logo {
  type: string
  bytes: Buffer
}

/** The logo that an organization puts above its mails; undefined where it has none, which is all of them until logos are kept. */
export async function logoOf(_manager: EntityManager, _organization: Organization): Promise<Logo | undefined> {
  return undefined
}
