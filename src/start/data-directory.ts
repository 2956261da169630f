import { mkdir, mkdtemp, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { quote } from './quote.ts'
import { StartError } from './start-error.ts'
import { systemErrorText } from './system-error.ts'

/**
 * Creates DATA_DIR and checks that files can be written in it.
 * @throws StartError when they cannot
 */
export async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await makeDirectory(directory)
    await rmdir(await mkdtemp(join(directory, '.writable-')))
  } catch (error) {
    const reason = systemErrorText(error as NodeJS.ErrnoException)
    throw new StartError(`DATA_DIR is ${quote(directory)}, which is not writable: ${reason}. Set another DATA_DIR.`)
  }
}

/**
 * Creates a folder and its parents. Node's own option `recursive` is not used: it never returns in folders such as /proc,
 * where no folder can be created.
 */
export async function makeDirectory(directory: string): Promise<void> {
  await mkdir(directory).catch(async ({ code }) => {
    if (code === 'EEXIST') return
    if (code === 'ENOENT' && dirname(directory) !== directory) await makeDirectory(dirname(directory))
    await mkdir(directory).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
  })
}
