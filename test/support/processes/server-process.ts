import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { launch, type Postgres } from '../../../src/postgres/launcher.ts'

/**
 * What is killed does not get to say goodbye, but the operating system lives on and has all that was written: so fsync
 * may be off. A commit must still be written before it is answered.
 */
const settings = { fsync: 'off', synchronous_commit: 'on' }

/** Seconds that a start may take, on a machine that has other things to do. */
const patience = 60

/** For young objects, as `npm start` has it. */
const room = ['--min-semi-space-size=16', '--max-semi-space-size=16']

/** A Postgres of a test's own. */
export class PostgresProcess {
  kills = 0
  private readonly launched: Postgres[] = []
  private directory = ''

  get postgres(): Postgres {
    return this.launched[this.launched.length - 1]
  }

  get url(): string {
    const { user, host, database } = this.postgres
    return `postgres://${user}@localhost/${database}?host=${host}`
  }

  async start(): Promise<void> {
    if (!this.directory) {
      this.directory = await mkdtemp(join(tmpdir(), 'storm-'))
      await chmod(this.directory, 0o755)
    }
    this.launched.push(await launch(this.directory, { database: 'storm', settings }))
  }

  /** A folder for what the server keeps. */
  get room(): string {
    return join(this.directory, 'server')
  }

  async kill(): Promise<void> {
    const file = join(this.postgres.directory, 'postmaster.pid')
    process.kill(Number.parseInt(await readFile(file, 'utf8'), 10), 'SIGKILL')
    this.kills += 1
  }

  async remove(): Promise<void> {
    for (const postgres of this.launched) await postgres.stop()
    const homes = this.launched.map(({ directory }) => dirname(directory))
    for (const folder of new Set([this.directory, ...homes])) await rm(folder, { recursive: true, force: true })
  }
}

/** The server, in a process of its own. */
export class ServerProcess {
  kills = 0
  port = 0
  /** How often it has ended without being killed. */
  surrenders = 0
  /** What it has said last. */
  readonly said: string[] = []
  private process: ChildProcess | undefined
  private closed = false

  /** @param alone in a process group of its own, as a terminal gives it: who breaks off the tests does not reach it */
  constructor(
    private readonly environment: Record<string, string>,
    private readonly alone = false,
  ) {}

  async start(): Promise<void> {
    this.port ||= await freePort()
    if (this.closed) throw new Error('The server is not to be started any more.')
    const child = spawn(process.execPath, [...room, 'dist/src/server.js'], {
      env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', PORT: String(this.port), ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: this.alone,
    })
    this.process = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        this.said.push(String(text))
        if (this.said.length > 1000) this.said.shift()
      })
    child.once('exit', () => {
      if (this.process === child) this.surrenders += 1
    })
    await this.ready()
  }

  get pid(): number {
    return this.process?.pid as number
  }

  /** Waits until it has ended by itself, and tells how. */
  async ended(): Promise<number | null> {
    const child = this.process as ChildProcess
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child.exitCode
  }

  /** Waits until it can serve. */
  async ready(): Promise<void> {
    for (const end = Date.now() + patience * 1000; Date.now() < end; await sleep(50)) {
      if (this.surrenders > 0 || this.closed) break
      if (await this.answers()) return
    }
    throw new Error(`The server does not serve. It said:\n${this.said.join('')}`)
  }

  async kill(): Promise<void> {
    await this.end()
    this.kills += 1
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.closed = true
    await this.end()
  }

  private async end(): Promise<void> {
    const child = this.process
    this.process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  private answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const request = get({ port: this.port, host: '127.0.0.1', path: '/health/ready', agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      })
      request.on('error', () => resolve(false))
      request.setTimeout(2000, () => request.destroy())
    })
  }
}

/** A port that is free just now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
