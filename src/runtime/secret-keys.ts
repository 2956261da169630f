import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { readKeys, type SecretKey } from '../secrets/sealed-text.ts'
import { readOrCreateKeyFile } from '../start/key-file.ts'
import { StartError } from '../start/start-error.ts'

/** The keys that encrypt bank consents and sessions: those of SECRETS_KEY, or else one that the first start creates. */
export async function openSecretKeys({
  secrets,
  dataDirectory,
}: Pick<Config, 'secrets' | 'dataDirectory'>): Promise<SecretKey[]> {
  if (secrets) return secrets
  const file = secretKeyPath(dataDirectory)
  const text = await readOrCreateKeyFile(file, () => randomBytes(32).toString('base64'))
  try {
    return readKeys(text)
  } catch {
    throw new StartError(
      `${file} must hold a key of 32 bytes in base64. Restore the file: without it, bank consents cannot be decrypted.`,
    )
  }
}

export function secretKeyPath(dataDirectory: string): string {
  return join(dataDirectory, 'secrets.key')
}
