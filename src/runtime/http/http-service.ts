import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Express } from 'express'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { Config } from '../../config.ts'
import type { Replicas } from '../../hydra/store/statement.ts'
import { StartError } from '../../start/start-error.ts'
import { systemErrorText } from '../../start/system-error.ts'
import { poolsOf } from '../database.ts'
import { openReplicas } from '../read-replicas.ts'
import { createHttpServer } from './http-server.ts'
import type { SharedPort } from './shared-port.ts'

/** What the HTTP service gives to the application that it serves. */
export interface ServiceState {
  /** Where lists are read; undefined without DATABASE_REPLICA_URLS. */
  replicas?: Replicas
  state: { draining: boolean }
}

interface ServiceOptions {
  config: Config
  database: DataSource
  log: Logger
  /** The port that this process shares with other workers. */
  port?: SharedPort
  createApp(service: ServiceState): Express
}

/**
 * Serves an application on the configured address.
 * @returns a function that drains and closes the server
 */
export async function startHttpService(options: ServiceOptions): Promise<() => Promise<void>> {
  const { config, database, log, port, createApp } = options
  const state = { draining: false }
  const replicas = config.replicas.length > 0 ? openReplicas(poolsOf(database).lists, config, log) : undefined
  const server = createHttpServer(createApp({ replicas, state }), config.publicUrl, log, port)
  await listen(server, config)
  return async () => {
    state.draining = true
    await new Promise<void>((closed) => server.close(() => closed()))
    await replicas?.close()
  }
}

/** Listens for a moment, so that a bad PORT or HOST is reported before anything else is started. */
export async function checkAddress(config: Config): Promise<void> {
  const server = createServer()
  await listen(server, config)
  server.close()
  await once(server, 'close')
}

function listen(server: Server, { port, host }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new StartError(complaint(error, port, host))))
    // A worker listens through the first process: without that it would wait for ever.
    const gone = () => setImmediate(reject, new Error('The first process has ended.'))
    if (cluster.worker?.isConnected() === false) gone()
    cluster.worker?.once('disconnect', gone)
    server.listen(port, host, resolve)
  })
}

/** Names the variable that is at fault: only two errors are about the port. */
function complaint(error: NodeJS.ErrnoException, port: number, host: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `PORT ${port} is in use on ${host}. Set PORT to another, or stop the process that listens there.`
    case 'EACCES':
      return `PORT ${port} needs rights that this user lacks. Set PORT to one from 1024 on.`
    case 'EADDRNOTAVAIL':
      return `HOST "${host}" is no address of this machine. Set HOST to one of its own, such as 127.0.0.1.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `HOST "${host}" cannot be resolved. Set HOST to an address of this machine, such as 127.0.0.1.`
    default:
      return `HOST "${host}" with PORT ${port} cannot be listened on: ${systemErrorText(error)}. Set another.`
  }
}
