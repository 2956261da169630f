import { spawn } from 'node:child_process'
import { chown, mkdir, mkdtemp, open, readdir, readFile, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import {
  type Account,
  type Binaries,
  binaries,
  claim,
  digest,
  environment,
  ourselves,
  reaches,
  refuge,
  run,
} from './binaries.ts'

/** A running Postgres: where to connect, and how to let go of it. */
export interface Postgres {
  /** The folder of its unix socket: it opens no port. */
  host: string
  /** Only names the socket; to be passed on, or else a PGPORT in the environment would name another. */
  port: number
  user: string
  database: string
  /** Where the data really lie. */
  directory: string
  /** The last one out stops the server. */
  stop(): Promise<void>
}

interface Options {
  pgbin?: string
  database?: string
  log?: (line: string) => void
  settings?: Record<string, string>
}

/** One cluster of data and all that is needed to serve it. */
interface Cluster {
  data: string
  output: string
  account: Account
  tools: Binaries
  settings: Record<string, string>
}

/** The connection by which we hold the server: it keeps others from stopping it, but not this process from ending. */
type Hold = Client & { ref(): void; unref(): void }

const user = 'postgres'
const port = 5432

/** Milliseconds that a start, a recovery or a stop may take. */
const patience = 60_000

/** The advisory lock that every launched process shares; who gets it alone is the last one. */
const presence = 5_432_001

/** The application name of the connections that hold a share, which are not use. */
const mark = 'organization launcher'

/** Starts (or joins) the Postgres whose data lie under `directory`. */
export async function launch(directory: string, options: Options = {}): Promise<Postgres> {
  if (process.platform === 'win32') {
    throw new Error('The embedded Postgres runs on Linux and macOS only: on Windows, set DATABASE_URL.')
  }
  const { database = 'organization', log = () => {}, settings = {}, pgbin } = options
  await mkdir(directory, { recursive: true })
  const account = await accountFor(directory)
  const tools = await binaries(account, pgbin && resolve(pgbin), log)
  const home = await homeFor(directory, account, log)
  const data = join(home, `postgres-${tools.major}`)
  const cluster = { data, output: `${data}.log`, account, tools, settings }

  await initialize(cluster, log)
  const hold = await attend(cluster, log)
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= leave(hold, cluster)
    return stopped
  }
  await create(database, hold).catch(async (error) => {
    await stop()
    throw error
  })
  hold.unref()
  return { host: hold.host, port, user, database, directory: data, stop }
}

/** Postgres refuses to be root, who therefore lends the work to the directory's owner, or to an account made for it. */
async function accountFor(directory: string): Promise<Account> {
  if (ourselves.uid !== 0) return ourselves
  const { uid: owner } = await stat(directory)
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const wanted of [String(owner), 'postgres', '_postgres', 'nobody']) {
    const found = accounts.find(([name, , uid]) => uid !== '0' && (uid === wanted || name === wanted))
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) }
  }
  throw new Error('Postgres does not run as root, and there is no user "postgres" or "nobody": run as another user.')
}

/** Root's own directories are often closed to the account: its data then lie elsewhere, at the same place every time. */
async function homeFor(directory: string, account: Account, log: (line: string) => void): Promise<string> {
  const wanted = await realpath(directory)
  if (await reaches(account, wanted)) return wanted
  const home = await claim(await refuge('data', wanted, account), 0o755, ourselves)
  log(`Postgres cannot reach ${wanted} as user ${account.uid}: its data lie in ${home}`)
  return realpath(home)
}

/** Makes the cluster beside its place and moves it there whole, so that of two at once either will do, without a lock. */
async function initialize({ data, account, tools }: Cluster, log: (line: string) => void): Promise<void> {
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
    await run(
      tools.initdb,
      [
        '-D',
        draft,
        '--username',
        user,
        '--auth-local=trust',
        '--auth-host=reject',
        '--no-instructions',
        ...locale(tools),
      ],
      account,
    )
    await rename(draft, data)
  } catch (error) {
    if (!(await stat(data).catch(() => undefined))) throw new Error(`Postgres could not make its data: ${error}`)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function adopt(data: string, owner: number, { uid, gid }: Account): Promise<void> {
  if (ourselves.uid !== 0) {
    throw new Error(`The data in ${data} are another user's (${owner}): run as that user, or set another DATA_DIR.`)
  }
  await run('chown', ['-R', `${uid}:${gid}`, data], ourselves)
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

/** Joins the server of these data, and starts it whenever there is none. */
async function attend(cluster: Cluster, log: (line: string) => void): Promise<Hold> {
  const began = Date.now()
  let attempt: Attempt | undefined
  while (Date.now() - began < patience) {
    const { alive, pid, host } = await postmaster(cluster.data)
    if (alive) {
      const hold = host && (await greet(host, cluster.data))
      if (hold) {
        log(`Postgres ${cluster.tools.version} ${attempt ? 'started' : 'joined'}, its data in ${cluster.data}`)
        return hold
      }
    } else if (!attempt) {
      attempt = await start(cluster, pid)
    } else if (attempt.ended) {
      const said = (await readFile(cluster.output)).subarray(attempt.offset).toString()
      if (!/lock file|shared memory block/.test(said)) throw failure(attempt.ended, said, cluster)
      attempt = undefined
    }
    await sleep(20)
  }
  throw failure(`it took more than ${patience / 1000} s`, await readFile(cluster.output, 'utf8'), cluster)
}

function failure(reason: string, said: string, { output }: Cluster): Error {
  const last = said.trimEnd().split('\n').slice(-10).join('\n')
  return new Error(`Postgres did not start: ${reason}. The end of ${output}:\n${last}`)
}

/** What the lock file says, and whether it is true: after a crash its process id may be a zombie's or a stranger's. */
async function postmaster(data: string): Promise<{ alive: boolean; pid?: string; host?: string }> {
  const file = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , , host] = file.split('\n')
  return { alive: Boolean(pid) && (await serves(pid, data)), pid, host }
}

/** A postmaster is known by its arguments, which everybody may read and a zombie has lost. */
async function serves(pid: string, data: string): Promise<boolean> {
  const shown =
    process.platform === 'linux'
      ? readFile(`/proc/${pid}/cmdline`, 'utf8')
      : run('ps', ['-o', 'command=', '-p', pid], ourselves)
  return (await shown.catch(() => '')).replaceAll('\0', ' ').includes(`-D ${data} `)
}

/** Connects and takes a share in the server; undefined while it is starting, stopping, or somebody else's. */
async function greet(host: string, data: string): Promise<Hold | undefined> {
  const client = new Client({
    host,
    port,
    user,
    database: 'postgres',
    ssl: false,
    connectionTimeoutMillis: 5_000,
    application_name: mark,
  }) as Hold
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query('show data_directory')
    if (rows[0].data_directory !== data) throw new Error(`The server at ${host} is another one.`)
    await client.query('select pg_advisory_lock_shared($1)', [presence])
    return client
  } catch {
    await client.end().catch(() => {})
    return undefined
  }
}

interface Attempt {
  offset: number
  ended?: string
}

/** Starts the server in a session of its own, where Ctrl-C does not reach it. */
async function start({ data, output, account, tools, settings }: Cluster, stale?: string): Promise<Attempt> {
  const flags = Object.entries({
    listen_addresses: '',
    unix_socket_directories: await socketFor(data, account),
    port: String(port),
    timezone: 'UTC',
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const file = await open(output, 'a')
  const attempt: Attempt = { offset: (await file.stat()).size }
  const child = spawn(tools.postgres, ['-D', data, ...flags], {
    ...account,
    cwd: '/',
    // The process id of a lock file that Postgres may take over; it still checks that no backend is left over.
    env: { ...environment, PG_GRANDPARENT_PID: stale },
    detached: true,
    stdio: ['ignore', file.fd, file.fd],
  })
  child.once('error', ({ message }) => {
    attempt.ended = message
  })
  child.once('exit', (code, signal) => {
    attempt.ended = `it ended with ${signal ?? code}`
  })
  child.unref()
  await file.chown(account.uid, account.gid)
  await file.close()
  return attempt
}

/** A socket's path has at most 103 bytes, so it is not in the data; its folder admits the account alone. */
async function socketFor(data: string, account: Account): Promise<string> {
  const name = `organization-postgres-${digest(`${account.uid} ${data}`)}`
  const fits = Buffer.byteLength(join(tmpdir(), name, `.s.PGSQL.${port}`)) <= 103
  return claim(join(fits && (await reaches(account, tmpdir())) ? tmpdir() : '/tmp', name), 0o700, account)
}

async function create(database: string, hold: Hold): Promise<void> {
  const { rowCount } = await hold.query('select from pg_database where datname = $1', [database])
  if (rowCount) return
  await hold.query(`create database ${hold.escapeIdentifier(database)}`).catch((error) => {
    const createdMeanwhile = ['42P04', '23505'].includes(error.code)
    if (!createdMeanwhile) throw error
  })
}

/** Gives up our share; whoever then gets the lock alone is the last, unless somebody uses the server without a share. */
async function leave(lent: Hold, { data, output }: Cluster): Promise<void> {
  lent.ref()
  const hold = (await answers(lent)) ? lent : await greet(lent.host, data)
  if (!hold) return
  try {
    await hold.query('select pg_advisory_unlock_shared($1)', [presence])
    const { rows } = await hold.query('select pg_try_advisory_lock($1) as alone', [presence])
    const { pid } = await postmaster(data)
    if (pid && rows[0].alone && (await deserted(hold))) await shut(pid, data, output)
  } finally {
    await hold.end().catch(() => {})
    await rmdir(hold.host).catch(() => {})
  }
}

/** A crash of the server, or of one of its backends, costs us our connection. */
async function answers(hold: Hold): Promise<boolean> {
  return hold.query('select').then(
    () => true,
    () => false,
  )
}

/** A pool that has just been ended takes a moment to be gone. */
async function deserted(hold: Hold): Promise<boolean> {
  const others = `select from pg_stat_activity where backend_type = 'client backend' and application_name <> '${mark}'`
  for (let tries = 0; tries < 20; tries++) {
    if (!(await hold.query(others)).rowCount) return true
    await sleep(25)
  }
  return false
}

/** The "fast" way down: rolls back what is open, writes what is committed. */
async function shut(pid: string, data: string, output: string): Promise<void> {
  const began = Date.now()
  process.kill(Number(pid), 'SIGINT')
  while (await serves(pid, data)) {
    if (Date.now() - began > patience) throw new Error(`Postgres (${pid}) does not stop: see ${output}`)
    await sleep(20)
  }
}
