import cluster, { type Worker } from 'node:cluster'
import type { Logger } from 'pino'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { stopThreads } from './hydra/formats/thread.ts'
import { sendHeartbeat } from './runtime/cluster/heartbeat.ts'
import { connectToDatabase } from './runtime/database.ts'
import { startHttpService } from './runtime/http/http-service.ts'
import { sharedPort } from './runtime/http/shared-port.ts'
import { openKontomatik } from './runtime/open-kontomatik.ts'
import { openStripe } from './runtime/open-stripe.ts'
import { ShutdownSteps } from './runtime/shutdown.ts'
import { openIssuer } from './runtime/token-issuer.ts'

/** One of several processes that only serve: what it needs was started by the first, and its environment says where. */
export async function startWorkerProcess(config: Config, log: Logger, leaving: Promise<void>): Promise<void> {
  const worker = cluster.worker as Worker
  const left = Promise.race([leaving, orphaned(worker, leaving)])
  const endings = new ShutdownSteps(log, left)
  try {
    await endings.runUntilStopped(async () => {
      endings.add('outside', 'The threads', stopThreads)
      const reaching = connectToDatabase(config.databaseUrl as string, config.pool)
      const { database } = await endings.start('database', 'The database', reaching, ({ close }) => close())
      const { billing } = await openStripe(config)
      const { banking } = await openKontomatik(config)
      const issuer = await endings.unlessStopping(openIssuer(config))
      const serving = startHttpService({
        config,
        database,
        log,
        port: sharedPort(worker),
        createApp: (service) => createApp({ config, database, billing, banking, issuer, log, ...service }),
      })
      await endings.start('work', 'The HTTP server', serving, (stop) => stop())
      sendHeartbeat(worker)
      await left
    })
  } finally {
    if (worker.isConnected()) worker.disconnect()
  }
}

/** Where the first process dies, a worker still finishes what is under way, which Node would not have it do. */
function orphaned(worker: Worker, leaving: Promise<void>): Promise<void> {
  let told = false
  leaving.then(() => {
    told = true
  })
  return new Promise((leave) => {
    worker.once('disconnect', () => {
      // Who was told to go and loses the first process meanwhile is in the way of somebody impatient.
      if (told) return
      worker.exitedAfterDisconnect = true
      leave()
    })
  })
}
