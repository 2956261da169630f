import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/support/processes/free-port.ts'
import { cores, pin } from './cores.ts'
import { cpuOf } from './cpu.ts'
import type { BenchDatabase } from './database.ts'
import type { Tenants } from './documents.ts'
import { type BenchRequest, type LoadOptions, load, send } from './load.ts'

export type ServerName = 'ours' | 'bare' | 'naive'

const commands: Record<ServerName, string[]> = {
  ours: ['--min-semi-space-size=16', '--max-semi-space-size=16', 'dist/bundle/server.js'],
  bare: ['--import', 'tsx', 'bench/bare-server.ts'],
  naive: ['--import', 'tsx', 'bench/naive-server.ts'],
}

/** One measurement. */
export interface Measurement {
  /** Requests a second. */
  rate: number
  /** CPU milliseconds a request, of the server and Postgres together. */
  cpu: number
  /** Those of Postgres alone. */
  postgresCpu: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** The mean number of reads in a batch; NaN where none was sent. Only the API has batches. */
  batchSize?: number
}

/** The servers that a benchmark compares, each in its own process on one database. */
export class Servers {
  private readonly running = new Map<ServerName, { child: ChildProcess; port: number }>()
  private readonly logFile: string
  private readonly database: BenchDatabase

  constructor(database: BenchDatabase) {
    this.database = database
    this.logFile = join(database.directory, 'requests.log')
  }

  /**
   * Starts servers, and waits until each answers a request.
   * @param environment additional variables of their environment
   */
  async start(names: ServerName[], tenants: Tenants, environment: Record<string, string> = {}): Promise<void> {
    const tenantsFile = join(this.database.directory, 'tenants.json')
    writeFileSync(tenantsFile, JSON.stringify(tenants))
    const log = openSync(this.logFile, 'a')
    const [authorization] = Object.keys(tenants)
    const port = await freePort()
    const publicUrl = `http://127.0.0.1:${port}`
    for (const name of names) {
      const ownPort = name === 'ours' ? port : await freePort()
      const server = spawn(process.execPath, commands[name], {
        env: {
          ...process.env,
          ...environment,
          ...this.addressOf(name),
          DATA_DIR: this.database.directory,
          PORT: String(ownPort),
          PUBLIC_URL: publicUrl,
          TENANTS: tenantsFile,
        },
        stdio: ['ignore', log, 'inherit'],
      })
      this.running.set(name, { child: server, port: ownPort })
      pin(cores.servers, server.pid as number)
      await this.untilReady(name, { method: 'GET', path: '/meetings', headers: { Authorization: authorization } })
    }
  }

  send(name: ServerName, request: Omit<BenchRequest, 'status'>) {
    return send(this.server(name).port, request)
  }

  async measure(name: ServerName, requests: BenchRequest[], options: LoadOptions): Promise<Measurement> {
    const { child, port } = this.server(name)
    const used = () => [cpuOf(child.pid as number), cpuOf(this.database.postmaster)]
    truncateSync(this.logFile)
    const batches = name === 'ours' ? await this.sentBatches() : undefined
    const before = used()
    const { requests: count, seconds, latencies } = await load(port, requests, options)
    const [serverCpu, postgresCpu] = used().map((time, index) => (time - before[index]) / count)
    const at = (share: number) => latencies[Math.min(count - 1, Math.floor(count * share))]
    return {
      rate: count / seconds,
      cpu: serverCpu + postgresCpu,
      postgresCpu,
      p50: at(0.5),
      p99: at(0.99),
      batchSize: batches && sizeBetween(batches, await this.sentBatches()),
    }
  }

  async stop(): Promise<void> {
    for (const { child } of this.running.values()) {
      if (child.exitCode !== null) continue
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    }
  }

  /** As in production, the API connects as a role that owns nothing. The other servers name no tenant, so they connect as the owner. */
  private addressOf(name: ServerName): Record<string, string> {
    const { url, serverUrl } = this.database
    return name === 'ours' ? { DATABASE_URL: serverUrl, DATABASE_OWNER_URL: url } : { DATABASE_URL: url }
  }

  /** The batches of reads that the API has sent since its start, and the keys in them. */
  private async sentBatches(): Promise<Batches> {
    const headers = { Authorization: this.database.operator }
    const { body } = await this.send('ours', { method: 'GET', path: '/metrics', headers })
    const read = (name: string) => Number(new RegExp(`^database_batch_keys_${name} (\\d+)$`, 'm').exec(body)?.[1])
    return { count: read('count'), keys: read('sum') }
  }

  private server(name: ServerName): { child: ChildProcess; port: number } {
    const found = this.running.get(name)
    if (!found) throw new Error(`The server "${name}" is not started.`)
    return found
  }

  private async untilReady(name: ServerName, request: Omit<BenchRequest, 'status'>): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const response = await this.send(name, request).catch(() => undefined)
      if (response?.status === 200) return
      await sleep(100)
    }
    throw new Error(`The server "${name}" does not answer.`)
  }
}

type Batches = { count: number; keys: number }

function sizeBetween(before: Batches, after: Batches): number {
  return (after.keys - before.keys) / (after.count - before.count)
}
