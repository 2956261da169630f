import { rm } from 'node:fs/promises'

export default async function stop(): Promise<void> {
  await globalThis.postgres?.stop()
  const { directory } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
  if (directory) await rm(directory, { recursive: true, force: true })
}
