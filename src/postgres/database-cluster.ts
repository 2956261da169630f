import { chown, mkdtemp, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Account, canEnter, makeOwnedFolder, ownAccount, runAs, sharedPath } from '../start/accounts.ts'
import { StartError } from '../start/start-error.ts'
import type { Binaries } from './binaries.ts'

/** A database cluster in Postgres's sense: a data folder, and all that is needed to serve it. */
export interface DatabaseCluster {
  data: string
  logFile: string
  account: Account
  binaries: Binaries
  settings: Record<string, string>
}

/** The role that the server connects as. It owns nothing, so row-level security holds for it. */
export const serverRole = 'server'

/** The role that owns the databases. It needs no password, because only one account can open the socket. */
export const superuser = 'postgres'

/**
 * The folder for the data: the data directory, or another one where the account cannot enter that.
 * Root's own directories are often closed to other accounts. The other folder is the same at every start.
 */
export async function clusterFolder(directory: string, account: Account, log: (line: string) => void): Promise<string> {
  const preferred = await realpath(directory)
  if (await canEnter(account, preferred)) return preferred
  const folder = await makeOwnedFolder(await sharedPath('data', preferred, account), 0o755, ownAccount)
  log(`Postgres cannot enter ${preferred} as user ${account.uid}, so it keeps its data in ${folder}.`)
  return realpath(folder)
}

/**
 * Creates the data folder where it does not exist. It is created under another name and then renamed, so two processes can do
 * it at once without a lock: the first rename wins.
 */
export async function initializeCluster(
  { data, account, binaries }: DatabaseCluster,
  log: (line: string) => void,
): Promise<void> {
  const owner = await stat(data).then(
    ({ uid }) => uid,
    () => undefined,
  )
  if (owner === account.uid) return
  if (owner !== undefined) return changeOwner(data, owner, account)

  log(`Creating the data of Postgres ${binaries.version} in ${data}.`)
  await removeOldDrafts(dirname(data))
  const draft = await mkdtemp(join(dirname(data), 'initdb-'))
  try {
    await chown(draft, account.uid, account.gid)
    await runAs(
      binaries.initdb,
      [
        '-D',
        draft,
        '--username',
        superuser,
        '--auth-local=trust',
        '--auth-host=reject',
        '--no-instructions',
        ...localeOptions(binaries),
      ],
      account,
    )
    await rename(draft, data)
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    const reason = stderr?.trim().split('\n').at(-1) ?? message
    if (!(await stat(data).catch(() => undefined)))
      throw new StartError(
        `Postgres could not create its data in ${data}: ${reason}. Correct that, or set DATABASE_URL.`,
      )
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Root gives existing data to the account, for example after the account has changed. */
async function changeOwner(data: string, owner: number, { uid, gid }: Account): Promise<void> {
  if (ownAccount.uid !== 0) {
    throw new StartError(
      `The data in ${data} belong to user ${owner}. Run the server as that user, or set another DATA_DIR.`,
    )
  }
  await runAs('chown', ['-R', `${uid}:${gid}`, data], ownAccount)
}

/** Removes drafts of interrupted starts. The draft of a start that still runs is younger than ten minutes. */
async function removeOldDrafts(folder: string): Promise<void> {
  const drafts = (await readdir(folder)).filter((name) => name.startsWith('initdb-')).map((name) => join(folder, name))
  for (const draft of drafts) {
    const found = await stat(draft).catch(() => undefined)
    if (found && found.mtimeMs < Date.now() - 600_000) await rm(draft, { recursive: true, force: true })
  }
}

/** Sorts by code point on every machine, and yet knows the lower case of letters beyond ASCII. */
function localeOptions({ major }: Binaries): string[] {
  const ctype = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'
  return [
    '--encoding=UTF8',
    '--locale=C',
    ...(major < 17 ? [`--lc-ctype=${ctype}`] : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']),
  ]
}
