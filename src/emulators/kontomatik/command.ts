import { listenOptions, readOptions, runEmulator } from '../command.ts'
import { startLocalKontomatik } from './server.ts'

export const options = {
  ...listenOptions('KONTOMATIK', '12112'),
  journal: { variable: 'KONTOMATIK_JOURNAL', description: 'the file that keeps the state across restarts' },
  'api-key': { variable: 'KONTOMATIK_API_KEY', description: 'the key in X-Api-Key', default: 'local-kontomatik' },
  'import-ms': { variable: 'KONTOMATIK_IMPORT_MS', description: 'milliseconds that an import takes', default: '4000' },
}

/** Runs the emulator alone. */
export async function runKontomatik(): Promise<void> {
  const values = readOptions(options)
  await runEmulator(values, async (listening) => {
    const { url, publicUrl, apiKey, stop } = await startLocalKontomatik({
      ...listening,
      journal: values.journal,
      apiKey: values['api-key'],
      importMs: Number(values['import-ms']),
    })
    return { lines: [`Kontomatik emulator: ${url}`, `Address in links: ${publicUrl}`, `API key: ${apiKey}`], stop }
  })
}
