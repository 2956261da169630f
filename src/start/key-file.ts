import { randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDirectory } from './data-directory.ts'
import { StartError } from './start-error.ts'
import { systemErrorText } from './system-error.ts'

/**
 * Reads a key file, and creates it first where it does not exist.
 * The text is written to a draft, which is then linked: no process reads half of it, and two processes agree on one.
 */
export async function readOrCreateKeyFile(file: string, create: () => Promise<string> | string): Promise<string> {
  const existing = await readFile(file, 'utf8').catch(() => undefined)
  if (existing !== undefined) return existing
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await makeDirectory(dirname(file))
    await writeFile(draft, await create(), { mode: 0o600 })
    await link(draft, file).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
    return await readFile(file, 'utf8')
  } catch (error) {
    const reason = systemErrorText(error as NodeJS.ErrnoException)
    throw new StartError(`${file} cannot be created or read: ${reason}. Check its folder, or set another DATA_DIR.`)
  } finally {
    await rm(draft, { force: true }).catch(() => {})
  }
}
