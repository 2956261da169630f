import { randomBytes } from 'node:crypto'
import { link, lstat, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { quote } from '../start/quote.ts'
import { StartError } from '../start/start-error.ts'
import { systemErrorText } from '../start/system-error.ts'

/**
 * Writes a file that only its owner can read. It gets its name once it is complete and on the disk.
 * @param replace whether an existing file is replaced
 * @returns the number of bytes
 * @throws StartError where the file exists or cannot be written
 */
export async function writeNewFile(path: string, chunks: AsyncIterable<Uint8Array>, replace = false): Promise<number> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.partial`
  const file = await open(draft, 'wx', 0o600).catch(refuse(path))
  try {
    for await (const chunk of chunks) await file.appendFile(chunk).catch(refuse(path))
    await file.sync().catch(refuse(path))
    const { size } = await file.stat()
    await (replace ? rename : link)(draft, path).catch(refuse(path))
    await syncFolder(dirname(path))
    return size
  } finally {
    await file.close()
    await rm(draft, { force: true })
  }
}

/** @throws StartError at once where the file exists: the work for it would be lost */
export async function requireNewFile(path: string): Promise<void> {
  // To open a FIFO would wait for its writer.
  if (await lstat(path).catch(() => undefined)) throw existing(path)
}

function refuse(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    if (error.code === 'EEXIST') throw existing(path)
    throw new StartError(`${quote(path)} cannot be written: ${systemErrorText(error)}. Choose another file.`)
  }
}

function existing(path: string): StartError {
  return new StartError(`${quote(path)} exists. Choose another file, or replace it with --replace.`)
}

/** A new name is on the disk once its folder is. Some file systems refuse that, and do it by themselves. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  await handle.sync().catch(() => {})
  await handle.close()
}
