import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Banking } from '../banking/banking.ts'
import { readKeys, type SecretKey } from '../banking/secrets.ts'
import type { Config } from '../config.ts'
import { startLocalKontomatik } from '../emulators/kontomatik/server.ts'
import { readOrCreateKeyFile } from '../start/key-file.ts'
import { StartError } from '../start/start-error.ts'

/** Kontomatik, or the one of our own that stands in for it. */
export interface OpenedKontomatik {
  banking: Banking
  /** Where our own listens; undefined where KONTOMATIK_API_KEY names the real one. */
  embedded: string | undefined
  /** The variables by which another process reaches what was started here. */
  environment: Record<string, string>
  close(): Promise<void>
}

type Settings = Pick<Config, 'kontomatik' | 'redirects' | 'secrets' | 'dataDirectory'>

/** Reaches the Kontomatik that is configured, or starts one that remembers in the data directory what it was told. */
export async function openKontomatik({
  kontomatik,
  redirects,
  secrets,
  dataDirectory,
}: Settings): Promise<OpenedKontomatik> {
  const keys = secrets ?? (await keptKey(join(dataDirectory, 'secrets.key')))
  if (kontomatik) {
    const banking = new Banking({ ...kontomatik, redirects: redirects ?? [], keys })
    return { banking, embedded: undefined, environment: {}, close: async () => {} }
  }
  const local = await startOnItsPort(join(dataDirectory, 'kontomatik.json'))
  const { url, apiKey } = local
  const banking = new Banking({ url, apiKey, redirects: redirects ?? 'local', keys })
  const environment = {
    KONTOMATIK_URL: url,
    KONTOMATIK_API_KEY: apiKey,
    ...(!redirects && { KONTOMATIK_REDIRECTS: 'local' }),
  }
  return { banking, embedded: url, environment, close: () => local.stop() }
}

/** Links to sign in outlive a restart where it listens on the same port again; another server may have that. */
async function startOnItsPort(journal: string) {
  const options = { journal, pace: 4000 }
  return startLocalKontomatik({ ...options, port: 12112 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') return startLocalKontomatik(options)
    throw new StartError(`The local Kontomatik cannot start: ${error.message}`)
  })
}

/** The key that a file keeps. */
async function keptKey(file: string): Promise<SecretKey[]> {
  const text = await readOrCreateKeyFile(file, () => randomBytes(32).toString('base64'))
  try {
    return readKeys(text)
  } catch {
    throw new StartError(`${file} holds no key of 32 bytes in base64: put it back, or bank consents cannot be opened.`)
  }
}
