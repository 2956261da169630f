import { mkdir, mkdtemp, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { quote } from './quote.ts'
import { StartError } from './start-error.ts'
import { systemErrorText } from './system-error.ts'

/**
 * Makes DATA_DIR and checks that files can be written there. Node's own `recursive` never returns in folders such as /proc,
 * where nothing can be made.
 */
export async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await makeDirectory(directory)
    await rmdir(await mkdtemp(join(directory, '.writable-')))
  } catch (error) {
    const reason = systemErrorText(error as NodeJS.ErrnoException)
    throw new StartError(`DATA_DIR is ${quote(directory)}, which cannot be written to: ${reason}. Set another.`)
  }
}

/** Makes a folder and those above it. */
export async function makeDirectory(directory: string): Promise<void> {
  await mkdir(directory).catch(async ({ code }) => {
    if (code === 'EEXIST') return
    if (code === 'ENOENT' && dirname(directory) !== directory) await makeDirectory(dirname(directory))
    await mkdir(directory).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
  })
}
