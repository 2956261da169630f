import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Banking } from '../banking/banking.ts'
import { readKeys, type SecretKey } from '../banking/secrets.ts'
import type { Config } from '../config.ts'
import { startLocalKontomatik } from '../emulators/kontomatik/server.ts'
import { readOrCreateKeyFile } from '../start/key-file.ts'
import { StartError } from '../start/start-error.ts'

/** Kontomatik or its local emulator. */
export interface OpenedKontomatik {
  banking: Banking
  /** The address of the emulator; undefined where KONTOMATIK_API_KEY is set. */
  embedded: string | undefined
  /** The variables with which another process reaches this emulator. */
  environment: Record<string, string>
  close(): Promise<void>
}

type Settings = Pick<Config, 'kontomatik' | 'redirects' | 'secrets' | 'dataDirectory'>

/** Connects to the configured Kontomatik, or starts the emulator, which keeps its state in the data directory. */
export async function openKontomatik({
  kontomatik,
  redirects,
  secrets,
  dataDirectory,
}: Settings): Promise<OpenedKontomatik> {
  const keys = secrets ?? (await readKeyFile(join(dataDirectory, 'secrets.key')))
  if (kontomatik) {
    const banking = new Banking({ ...kontomatik, redirects: redirects ?? [], keys })
    return { banking, embedded: undefined, environment: {}, close: async () => {} }
  }
  const local = await startEmulator(join(dataDirectory, 'kontomatik.json'))
  const { url, apiKey } = local
  const banking = new Banking({ url, apiKey, redirects: redirects ?? 'local', keys })
  const environment = {
    KONTOMATIK_URL: url,
    KONTOMATIK_API_KEY: apiKey,
    ...(!redirects && { KONTOMATIK_REDIRECTS: 'local' }),
  }
  return { banking, embedded: url, environment, close: () => local.stop() }
}

/** Sign-in links survive a restart on the same port. Another program may use that port. */
async function startEmulator(journal: string) {
  const options = { journal, pace: 4000 }
  return startLocalKontomatik({ ...options, port: 12112 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') return startLocalKontomatik(options)
    throw new StartError(`The Kontomatik emulator cannot start: ${error.message}`)
  })
}

/** Reads the key for secrets from its file, which the first start creates. */
async function readKeyFile(file: string): Promise<SecretKey[]> {
  const text = await readOrCreateKeyFile(file, () => randomBytes(32).toString('base64'))
  try {
    return readKeys(text)
  } catch {
    throw new StartError(
      `${file} must hold a key of 32 bytes in base64. Restore the file: without it, bank consents cannot be decrypted.`,
    )
  }
}
