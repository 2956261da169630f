import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { launch, type Postgres } from '../../../src/postgres/launcher.ts'
import { freePort } from './free-port.ts'

/**
 * A killed Postgres loses no data that it has written, because the operating system survives. So fsync may be off. A commit must
 * still be written before it is acknowledged.
 */
const settings = { fsync: 'off', synchronous_commit: 'on' }

/** The limit for a start on a busy machine. */
const startTimeoutMs = 60_000

/** The flags of `npm start` for V8's young generation. */
const nodeFlags = ['--min-semi-space-size=16', '--max-semi-space-size=16']

/** A Postgres of the test itself. */
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

  /** The data directory of the server. */
  get serverDirectory(): string {
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

/** A server in its own process. */
export class ServerProcess {
  kills = 0
  port = 0
  /** How often the process has ended without being killed. */
  unexpectedExits = 0
  /** The last pieces of its output. */
  readonly output: string[] = []
  private process: ChildProcess | undefined
  private closed = false

  /**
   * @param ownGroup whether it gets its own process group, as from a terminal; an interrupt of the tests does not reach it
   * @param program the built server
   */
  constructor(
    private readonly environment: Record<string, string>,
    private readonly ownGroup = false,
    private readonly program = 'dist/bundle/server.js',
  ) {}

  async start(): Promise<void> {
    this.port ||= await freePort()
    if (this.closed) throw new Error('The server is closed.')
    const child = spawn(process.execPath, [...nodeFlags, this.program], {
      env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', PORT: String(this.port), ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: this.ownGroup,
    })
    this.process = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        this.output.push(String(text))
        if (this.output.length > 1000) this.output.shift()
      })
    child.once('exit', () => {
      if (this.process === child) this.unexpectedExits += 1
    })
    await this.ready()
  }

  get pid(): number {
    return this.process?.pid as number
  }

  /** Waits until the process has ended by itself. @returns its exit code */
  async ended(): Promise<number | null> {
    const child = this.process as ChildProcess
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child.exitCode
  }

  /** Waits until it is ready to serve. */
  async ready(): Promise<void> {
    for (const end = Date.now() + startTimeoutMs; Date.now() < end; await sleep(50)) {
      if (this.unexpectedExits > 0 || this.closed) break
      if (await this.isReady()) return
    }
    throw new Error(`The server does not serve. Its output:\n${this.output.join('')}`)
  }

  async kill(): Promise<void> {
    await this.end()
    this.kills += 1
  }

  /** Kills it. It cannot be started again. */
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

  private isReady(): Promise<boolean> {
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
