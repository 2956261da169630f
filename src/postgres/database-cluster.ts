import { chown, mkdtemp, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StartError } from '../start/start-error.ts'
import { type Account, canEnter, makeOwnedFolder, ownAccount, runAs, sharedPath } from './account.ts'
import type { Binaries } from './binaries.ts'

/** One cluster of data and all that is needed to serve it. */
export interface DatabaseCluster {
  data: string
  output: string
  account: Account
  tools: Binaries
  settings: Record<string, string>
}

/** Who owns what is in it; with a socket that only one account can open, no password is needed. */
export const superuser = 'postgres'

/** Root's own directories are often closed to the account: its data then lie elsewhere, at the same place every time. */
export async function clusterFolder(directory: string, account: Account, log: (line: string) => void): Promise<string> {
  const wanted = await realpath(directory)
  if (await canEnter(account, wanted)) return wanted
  const home = await makeOwnedFolder(await sharedPath('data', wanted, account), 0o755, ownAccount)
  log(`Postgres cannot reach ${wanted} as user ${account.uid}: its data lie in ${home}`)
  return realpath(home)
}

/** Makes the cluster beside its place and moves it there whole, so that of two at once either will do, without a lock. */
export async function initializeCluster(
  { data, account, tools }: DatabaseCluster,
  log: (line: string) => void,
): Promise<void> {
  const owner = await stat(data).then(
    ({ uid }) => uid,
    () => undefined,
  )
  if (owner === account.uid) return
  if (owner !== undefined) return adopt(data, owner, account)

  log(`Making a new Postgres ${tools.version} in ${data}`)
  await sweep(dirname(data))
  const draft = await mkdtemp(join(dirname(data), 'initdb-'))
  try {
    await chown(draft, account.uid, account.gid)
    await runAs(
      tools.initdb,
      [
        '-D',
        draft,
        '--username',
        superuser,
        '--auth-local=trust',
        '--auth-host=reject',
        '--no-instructions',
        ...locale(tools),
      ],
      account,
    )
    await rename(draft, data)
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    const said = stderr?.trim().split('\n').at(-1) ?? message
    if (!(await stat(data).catch(() => undefined)))
      throw new StartError(`Postgres could not make its data in ${data}: ${said}.`)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function adopt(data: string, owner: number, { uid, gid }: Account): Promise<void> {
  if (ownAccount.uid !== 0) {
    throw new StartError(
      `The data in ${data} are another user's (${owner}): run as that user, or set another DATA_DIR.`,
    )
  }
  await runAs('chown', ['-R', `${uid}:${gid}`, data], ownAccount)
}

/** Drafts that an interrupted start left behind; one that is under way is younger. */
async function sweep(home: string): Promise<void> {
  const drafts = (await readdir(home)).filter((name) => name.startsWith('initdb-')).map((name) => join(home, name))
  for (const draft of drafts) {
    const changed = await stat(draft).catch(() => undefined)
    if (changed && changed.mtimeMs < Date.now() - 600_000) await rm(draft, { recursive: true, force: true })
  }
}

/** Sorts by code point on every machine alike, and yet knows the lower case of letters beyond ASCII. */
function locale({ major }: Binaries): string[] {
  const letters = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'
  return [
    '--encoding=UTF8',
    '--locale=C',
    ...(major < 17 ? [`--lc-ctype=${letters}`] : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']),
  ]
}
