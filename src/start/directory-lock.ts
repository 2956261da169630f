import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, realpath, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { makeOwnedFolder, ownAccount, sharedPath } from '../postgres/account.ts'
import { quote } from './quote.ts'
import { StartError } from './start-error.ts'

/** Bytes that the path of a socket may have on macOS; Linux allows 107. */
const longest = 103

const isLock = (name: string) => /^server-[0-9a-f]{12}\.sock$/.test(name)

/**
 * Keeps a second server out of DATA_DIR. Each server listens on a socket of its own before it looks for others: of two that
 * start at once, at least one sees the other. The socket of a killed process refuses connections, and is removed.
 * @returns how to release the directory
 */
export async function lockDataDirectory(directory: string): Promise<() => Promise<void>> {
  const own = `server-${randomBytes(6).toString('hex')}.sock`
  const { folder, server } = await listenIn(directory, own)
  const others = (await readdir(folder)).filter((name) => isLock(name) && name !== own)
  for (const path of others.map((name) => join(folder, name))) {
    if (!(await answers(path))) await rm(path, { force: true })
    else {
      await close(server)
      const sentence = `DATA_DIR is ${quote(directory)}, which another server uses: stop that one, or set another.`
      throw new StartError(sentence)
    }
  }
  return () => close(server)
}

/** In the directory itself, so that servers in several containers see each other; elsewhere if no socket can be there. */
async function listenIn(directory: string, name: string): Promise<{ folder: string; server: Server }> {
  if (Buffer.byteLength(join(directory, name)) <= longest) {
    const server = await listen(join(directory, name)).catch(() => undefined)
    if (server) return { folder: directory, server }
  }
  const folder = await makeOwnedFolder(
    await sharedPath('server', await realpath(directory), ownAccount),
    0o700,
    ownAccount,
  )
  return { folder, server: await listen(join(folder, name)) }
}

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(path)
  await once(server, 'listening')
  return server.unref()
}

/** A connection that fails for another reason than that no process listens may well be one to a live server. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(true))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
    socket.on('connect', () => socket.destroy())
  })
}

async function close(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}
