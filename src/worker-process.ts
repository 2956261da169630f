import cluster, { type Worker } from 'node:cluster'
import type { Logger } from 'pino'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { stopThreads } from './hydra/index.ts'
import { answerHeartbeat } from './runtime/cluster/heartbeat.ts'
import { connectToDatabase } from './runtime/database.ts'
import { startHttpService } from './runtime/http/http-service.ts'
import { sharedPort } from './runtime/http/shared-port.ts'
import { openKontomatik } from './runtime/open-kontomatik.ts'
import { openStripe } from './runtime/open-stripe.ts'
import { collectWhenQuiet } from './runtime/quiet-collection.ts'
import { openSecretKeys } from './runtime/secret-keys.ts'
import { ShutdownSteps } from './runtime/shutdown.ts'
import { openIssuer } from './runtime/token-issuer.ts'

/** Runs a worker: one of several processes that only serve. Its environment says where the parent has started the rest. */
export async function startWorkerProcess(config: Config, log: Logger, signalled: Promise<void>): Promise<void> {
  const worker = cluster.worker as Worker
  const stopRequested = Promise.race([signalled, parentExit(worker, signalled)])
  const shutdown = new ShutdownSteps(log, stopRequested)
  try {
    await shutdown.runUntilStopped(async () => {
      shutdown.add('external', 'The thread pool', stopThreads)
      const connecting = connectToDatabase(config.databaseUrl as string, config.pool, config.directUrl)
      const { database } = await shutdown.start('database', 'The database', connecting, ({ close }) => close())
      const { billing } = await openStripe(config)
      const secretKeys = await openSecretKeys(config)
      const { banking } = await openKontomatik(config, secretKeys)
      const issuer = await shutdown.unlessStopping(openIssuer(config))
      const serving = startHttpService({
        config,
        database,
        log,
        port: sharedPort(worker),
        createApp: (service) => createApp({ config, database, billing, banking, issuer, secretKeys, log, ...service }),
      })
      await shutdown.start('work', 'The HTTP server', serving, (stop) => stop())
      answerHeartbeat(worker)
      collectWhenQuiet()
      await stopRequested
    })
  } finally {
    if (worker.isConnected()) worker.disconnect()
  }
}

/** Resolves when the parent process dies. The worker then finishes its requests, where Node by itself would end it at once. */
function parentExit(worker: Worker, signalled: Promise<void>): Promise<void> {
  let stopping = false
  signalled.then(() => {
    stopping = true
  })
  return new Promise((resolve) => {
    worker.once('disconnect', () => {
      // A worker that loses its parent during a shutdown ends at once: a second signal has ended the parent by force.
      if (stopping) return
      worker.exitedAfterDisconnect = true
      resolve()
    })
  })
}
