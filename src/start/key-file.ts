import { randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDirectory } from './data-directory.ts'
import { StartError } from './start-error.ts'
import { systemErrorText } from './system-error.ts'

/** The text of a file that is made once: beside its place, and linked there whole, so that no process reads half of it. */
export async function readOrCreateKeyFile(file: string, make: () => Promise<string> | string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept !== undefined) return kept
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await makeDirectory(dirname(file))
    await writeFile(draft, await make(), { mode: 0o600 })
    await link(draft, file).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new StartError(`${file} cannot be made or read: ${systemErrorText(error as NodeJS.ErrnoException)}.`)
  } finally {
    await rm(draft, { force: true }).catch(() => {})
  }
}
