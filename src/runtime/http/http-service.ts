import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Express } from 'express'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { Config } from '../../config.ts'
import { StartError } from '../../start/start-error.ts'
import { systemErrorText } from '../../start/system-error.ts'
import { poolsOf } from '../database.ts'
import { type OpenReplicas, openReplicas } from '../read-replicas.ts'
import { startTracing, type Tracing } from '../tracing/tracing.ts'
import { createHttpServer } from './http-server.ts'
import type { SharedPort } from './shared-port.ts'

/** The part of the application's context that the HTTP service provides. */
export interface ServiceState {
  /** Where lists are read; undefined without DATABASE_REPLICA_URLS. */
  replicas?: Pick<OpenReplicas, 'run'>
  state: { draining: boolean }
  /** Undefined where no traces are recorded. */
  tracing?: Tracing
  /** Aborted when the process stops, so that open streams end at once. */
  stopping?: AbortSignal
}

interface ServiceOptions {
  config: Config
  database: DataSource
  log: Logger
  /** The port that this process shares with other workers. */
  port?: SharedPort
  createApp(service: ServiceState): Promise<Express>
}

/**
 * Serves an application on the configured address.
 * @returns a function that drains and closes the server
 */
export async function startHttpService(options: ServiceOptions): Promise<() => Promise<void>> {
  const { config, database, log, port, createApp } = options
  const state = { draining: false }
  const replicas = config.replicas.length > 0 ? openReplicas(poolsOf(database).lists, config, log) : undefined
  const stopping = new AbortController()
  const tracing = await startTracing(config, log)
  const app = await createApp({ replicas, state, tracing, stopping: stopping.signal })
  const server = createHttpServer(app, config.publicUrl, log, port)
  await listen(server, config)
  return async () => {
    state.draining = true
    stopping.abort()
    await new Promise<void>((closed) => server.close(() => closed()))
    await Promise.all([replicas?.close(), tracing?.stop()])
  }
}

/**
 * Listens for a moment, so that a bad PORT or HOST is reported before anything else is started.
 * @throws StartError when the address cannot be used
 */
export async function checkAddress(config: Config): Promise<void> {
  const server = createServer()
  await listen(server, config)
  server.close()
  await once(server, 'close')
}

function listen(server: Server, { port, host }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new StartError(listenError(error, port, host))))
    // A worker listens through the parent process. Without that, it would wait forever.
    const onParentExit = () => setImmediate(reject, new Error('The parent process has ended.'))
    if (cluster.worker?.isConnected() === false) onParentExit()
    cluster.worker?.once('disconnect', onParentExit)
    server.listen(port, host, resolve)
  })
}

/** Names the variable to correct: only two errors are about the port. */
function listenError(error: NodeJS.ErrnoException, port: number, host: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `PORT ${port} is in use on ${host}. Set PORT to another, or stop the process that listens there.`
    case 'EACCES':
      return `PORT ${port} needs rights that this user lacks. Set PORT to 1024 or more.`
    case 'EADDRNOTAVAIL':
      return `HOST "${host}" is not an address of this machine. Set HOST to one that is, such as 127.0.0.1.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `HOST "${host}" cannot be resolved. Set HOST to an address of this machine, such as 127.0.0.1.`
    default:
      return `The server cannot listen on HOST "${host}" and PORT ${port}: ${systemErrorText(error)}. Set others.`
  }
}
