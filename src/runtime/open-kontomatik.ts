import { join } from 'node:path'
import { Banking } from '../banking/banking.ts'
import type { Config } from '../config.ts'
import { startLocalKontomatik } from '../emulators/kontomatik/server.ts'
import type { SecretKey } from '../secrets/sealed-text.ts'
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

type Settings = Pick<Config, 'kontomatik' | 'redirects' | 'dataDirectory'>

/** Connects to the configured Kontomatik, or starts the emulator, which keeps its state in the data directory. */
export async function openKontomatik(
  { kontomatik, redirects, dataDirectory }: Settings,
  keys: SecretKey[],
): Promise<OpenedKontomatik> {
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
