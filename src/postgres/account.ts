import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, chown, lstat, mkdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { StartError } from '../start/start-error.ts'

/** Whom Postgres runs as: ourselves, unless we are root, which it refuses. */
export interface Account {
  uid: number
  gid: number
}

/** Postgres is told nothing of our environment: it holds our secrets, and a stray PGPORT would move the socket. */
export const childEnvironment = { PATH: process.env.PATH, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH, LC_ALL: 'C' }

export const ownAccount: Account = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

/** Postgres refuses to be root, who therefore lends the work to the directory's owner, or to an account made for it. */
export async function accountFor(directory: string): Promise<Account> {
  if (ownAccount.uid !== 0) return ownAccount
  const { uid: owner } = await stat(directory)
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const wanted of [String(owner), 'postgres', '_postgres', 'nobody']) {
    const found = accounts.find(([name, , uid]) => uid !== '0' && (uid === wanted || name === wanted))
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) }
  }
  throw new StartError(
    'Postgres does not run as root, and there is no user "postgres" or "nobody": run as another user.',
  )
}

/** Runs a program as the account, from a folder that every account can enter, and returns what it printed. */
export async function runAs(program: string, args: string[], account: Account): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: '/', env: childEnvironment, ...account })
  return stdout
}

/** Whether the account can enter a folder, which only the system knows: modes, lists and mounts all have their say. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  return runAs('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], account).then(
    () => true,
    () => false,
  )
}

/** A path that every account can reach, the same at every start and another one for each user and subject. */
export async function sharedPath(kind: string, subject: string, account: Account): Promise<string> {
  const parent = (await canEnter(account, '/var/tmp')) ? '/var/tmp' : tmpdir()
  return join(parent, `organization-${kind}-${digest(`${ownAccount.uid} ${subject}`)}`)
}

/** Makes a folder that is the owner's alone to write: its name can be guessed, and temporary folders are open to all. */
export async function makeOwnedFolder(folder: string, mode: number, owner: Account): Promise<string> {
  try {
    await mkdir(folder)
    await chmod(folder, mode)
    await chown(folder, owner.uid, owner.gid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const found = await lstat(folder)
    if (!found.isDirectory() || ![owner.uid, ownAccount.uid].includes(found.uid)) {
      throw new StartError(`"${folder}" is needed, but it is another user's (${found.uid}): remove it.`)
    }
  }
  return folder
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
