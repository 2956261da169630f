import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Leaves nothing behind, wherever the data had to lie for the account that Postgres ran as. */
export default async function stop(): Promise<void> {
  const { postgres } = globalThis
  await postgres?.stop()
  const { directory } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
  for (const folder of [directory, postgres && dirname(postgres.directory)])
    if (folder) await rm(folder, { recursive: true, force: true })
}
