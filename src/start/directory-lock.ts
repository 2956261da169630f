import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, realpath, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { makeOwnedFolder, ownAccount, sharedPath } from './accounts.ts'
import { quote } from './quote.ts'
import { StartError } from './start-error.ts'

/** The limit of macOS for the path of a socket, in bytes; Linux allows 107. */
const maxSocketPathBytes = 103

const isLockSocket = (name: string) => /^server-[0-9a-f]{12}\.sock$/.test(name)

/**
 * Locks DATA_DIR against a second server. Each server first listens on its own socket, then looks for those of others.
 * So of two servers that start at once, at least one sees the other. The socket of a killed process refuses connections and
 * is removed.
 * @returns a function that releases the directory
 * @throws StartError when another server uses the directory
 */
export async function lockDataDirectory(directory: string): Promise<() => Promise<void>> {
  const own = `server-${randomBytes(6).toString('hex')}.sock`
  const { folder, server } = await listenIn(directory, own)
  const others = (await readdir(folder)).filter((name) => isLockSocket(name) && name !== own)
  for (const path of others.map((name) => join(folder, name))) {
    if (!(await isListening(path))) await rm(path, { force: true })
    else {
      await close(server)
      throw new StartError(
        `DATA_DIR is ${quote(directory)}, which another server uses. Stop that server, or set another DATA_DIR.`,
      )
    }
  }
  return () => close(server)
}

/**
 * Listens in the directory itself, so that servers in several containers see each other. A path that is too long for a socket
 * and a file system without sockets need another folder.
 */
async function listenIn(directory: string, name: string): Promise<{ folder: string; server: Server }> {
  if (Buffer.byteLength(join(directory, name)) <= maxSocketPathBytes) {
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

/** Whether a server may listen at a socket. Any error other than "no process listens" may come from a live server. */
function isListening(path: string): Promise<boolean> {
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
