import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, chown, lstat, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { StartError } from './start-error.ts'

/** An account of the operating system. */
export interface Account {
  uid: number
  gid: number
}

/** The environment of child processes. The server's own holds secrets, and a PGPORT in it would move Postgres's socket. */
export const childEnvironment = { PATH: process.env.PATH, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH, LC_ALL: 'C' }

/** The account of this process. */
export const ownAccount: Account = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

/** Runs a program as an account, in a folder that every account can enter. @returns its standard output */
export async function runAs(program: string, args: string[], account: Account): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: '/', env: childEnvironment, ...account })
  return stdout
}

/** Whether an account can enter a folder. Modes, access lists and mounts decide that, so a shell tries it. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  return runAs('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], account).then(
    () => true,
    () => false,
  )
}

/** A path that every account can reach. It is the same at every start, and differs by user and subject. */
export async function sharedPath(kind: string, subject: string, account: Account): Promise<string> {
  const parent = (await canEnter(account, '/var/tmp')) ? '/var/tmp' : tmpdir()
  return join(parent, `organization-${kind}-${digest(`${ownAccount.uid} ${subject}`)}`)
}

/**
 * Creates a folder that only its owner can write to.
 * @throws StartError when it belongs to another user: its name can be guessed, and every user can write to temporary folders
 */
export async function makeOwnedFolder(folder: string, mode: number, owner: Account): Promise<string> {
  try {
    await mkdir(folder)
    await chmod(folder, mode)
    await chown(folder, owner.uid, owner.gid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const found = await lstat(folder)
    if (!found.isDirectory() || ![owner.uid, ownAccount.uid].includes(found.uid)) {
      throw new StartError(`"${folder}" belongs to user ${found.uid}, but the server needs that folder. Remove it.`)
    }
  }
  return folder
}

/** Twelve hexadecimal digits of the SHA-256 of a text, for file names. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
