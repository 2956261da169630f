import cluster from 'node:cluster'
import { once } from 'node:events'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { pino } from 'pino'
import type { DataSource } from 'typeorm'
import { rowSecurityOf } from '../ormconfig.ts'
import { isOwnIssuer, type OwnIssuer } from './access/token-issuer-keys.ts'
import { exportSource } from './api.ts'
import { auditDocuments, createApp } from './app.ts'
import { type Config, readConfig, usesDataDirectory } from './config.ts'
import { people, seedDemo, tokenFor } from './demo/demo.ts'
import { subscribeDemo } from './demo/subscribe-demo.ts'
import { stopThreads, TenantScope } from './hydra/index.ts'
import { openMailer } from './mail/mailer.ts'
import { startBackgroundJobs } from './runtime/background-jobs.ts'
import { startWorkers } from './runtime/cluster/cluster.ts'
import { startEventLoopWatchdog } from './runtime/cluster/event-loop-watchdog.ts'
import { openDatabase } from './runtime/database.ts'
import { checkAddress, startHttpService } from './runtime/http/http-service.ts'
import { openKontomatik } from './runtime/open-kontomatik.ts'
import { type OpenedStripe, openStripe } from './runtime/open-stripe.ts'
import { standardOutput } from './runtime/output.ts'
import { collectWhenQuiet } from './runtime/quiet-collection.ts'
import { openSecretKeys } from './runtime/secret-keys.ts'
import { ShutdownSteps } from './runtime/shutdown.ts'
import { updateStoredLinks } from './runtime/stored-links.ts'
import { openIssuer } from './runtime/token-issuer.ts'
import { makeDataDirectory } from './start/data-directory.ts'
import { lockDataDirectory } from './start/directory-lock.ts'
import { StartError } from './start/start-error.ts'
import { startWorkerProcess } from './worker-process.ts'

/*
 * Objects that are created during the start live long. V8 concludes that similar objects of requests do, too, and allocates
 * them in the old generation. There, parts of a response would keep the rest of it alive. This flag turns that off.
 */
setFlagsFromString('--no-allocation-site-pretenuring')

/*
 * By default the old generation may grow several times over before V8 collects it. With this flag it grows by half, and a process
 * stays under 300 MB.
 */
setFlagsFromString('--heap-growing-percent=50')

/* The large young generation of the command line serves many requests at once. A thread has one task, so its heap starts small. */
for (const flag of ['min', 'max']) setFlagsFromString(`--${flag}-semi-space-size=2`)

const config = readConfigOrExit()
const log = pino(
  {
    level: config.logLevel,
    base: config.workers > 1 ? { pid: process.pid } : undefined,
    // The parameters of a failed statement can hold personal data, such as a mail with a token.
    redact: { paths: ['err.parameters'], remove: true },
  },
  standardOutput(),
)

const stop = new AbortController()
const stopRequested = once(stop.signal, 'abort').then(() => {})

/** A supervisor signals the whole process group and npm passes its signal on, so one stop may send two signals. */
const repeatedSignalMs = 1000
let signalledAt = Number.POSITIVE_INFINITY
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    // A later signal ends the process by force.
    if (!cluster.isWorker && performance.now() - signalledAt > repeatedSignalMs) process.exit(1)
    signalledAt = Math.min(signalledAt, performance.now())
    stop.abort()
  })

await (cluster.isWorker ? startWorkerProcess(config, log, stopRequested) : run()).catch((error) => {
  if (error instanceof StartError) console.error(error.message)
  else log.fatal({ err: error }, `The server could not start: ${error.message}`)
  process.exitCode = 1
})

// Everything is stopped. After an outage of Postgres, the queue may still wait some seconds to repeat a query, for nothing.
if (!cluster.isWorker) process.exit()

/** Starts everything in order, serves until a signal comes, and stops everything. */
async function run(): Promise<void> {
  const shutdown = new ShutdownSteps(log, stopRequested)
  await shutdown.runUntilStopped(async () => {
    if (usesDataDirectory(config)) {
      await makeDataDirectory(config.dataDirectory)
      const locking = lockDataDirectory(config.dataDirectory)
      await shutdown.start('directory', 'The lock of DATA_DIR', locking, (unlock) => unlock())
    }
    await checkAddress(config)

    const opening = openDatabase(config, (line) => log.info(line), { signal: stop.signal, onLost: stopWithoutPostgres })
    const opened = await shutdown.start('database', 'The database', opening, ({ close }) => close())
    const { database } = opened
    const everywhere = TenantScope.every.view(database)
    const stripe = await shutdown.start('external', 'The local Stripe', openStripe(config), ({ close }) => close())
    const secretKeys = await openSecretKeys(config)
    const openingKontomatik = openKontomatik(config, secretKeys)
    const kontomatik = await shutdown.start('external', 'The local Kontomatik', openingKontomatik, ({ close }) =>
      close(),
    )
    await shutdown.unlessStopping(
      updateStoredLinks(everywhere, { stripe: stripe.local, kontomatik: kontomatik.embedded }),
    )
    const mailDirectory = join(config.dataDirectory, 'mail')
    const mailer = openMailer(config.smtp, mailDirectory, log)
    shutdown.add('external', 'The mailer', async () => mailer.close())
    shutdown.add('external', 'The thread pool', stopThreads)

    const [{ billing }, { banking }] = [stripe, kontomatik]
    const source = exportSource({ billing, banking }, config)
    const issuer = await shutdown.unlessStopping(openIssuer(config))
    const documentOf = auditDocuments({ config, database, billing, banking, issuer })
    const webhooks = { keys: secretKeys, allowedHosts: config.webhookHosts, documentOf }
    const services = { billing, banking, mailer, exportSource: source, webhooks }
    const startingJobs = startBackgroundJobs(database, services, log)
    await shutdown.start('work', 'The job runner', startingJobs, (stop) => stop())

    // The demo is created before the server listens: a failure then stops the start, not a server that has clients.
    if (isOwnIssuer(issuer)) {
      const seeding = seedDemo(everywhere, issuer.issuer, { manualBilling: !stripe.local })
      if (await shutdown.unlessStopping(seeding)) log.info('Created the demo organizations.')
    }

    const serving =
      config.workers === 1
        ? startHttpService({
            config,
            database,
            log,
            createApp: (service) =>
              createApp({ config, database, billing, banking, issuer, secretKeys, log, ...service }),
          })
        : startWorkers({
            count: config.workers,
            environment: { ...opened.environment, ...stripe.environment, ...kontomatik.environment },
            stopRequested,
            log,
          })
    await shutdown.start('work', 'The HTTP server', serving, (stop) => stop())
    startEventLoopWatchdog()
    collectWhenQuiet()
    log.info(`Listening: start at ${config.publicUrl}/`)
    if (config.explorer) log.info(`Sign in with a browser: ${config.publicUrl}/session`)

    if (isOwnIssuer(issuer)) await shutdown.unlessStopping(printDemoTokens(everywhere, issuer, stripe))
    if (!rowSecurityOf(database).isOn)
      log.info('Row-level security is off: the role of DATABASE_URL owns the tables, or Citus distributes them.')
    if (opened.embedded)
      log.info(`Embedded: Postgres, with its data in ${opened.embedded}. Set DATABASE_URL to use another.`)
    if (stripe.local)
      log.info(`Embedded: a local Stripe at ${stripe.local}, without real money. Set STRIPE_SECRET_KEY to use Stripe.`)
    if (!config.smtp)
      log.info(`Mails are kept in ${mailDirectory} and not sent. Set SMTP_URL and MAIL_FROM to send them.`)
    if (kontomatik.embedded)
      log.info(
        `Embedded: a local Kontomatik at ${kontomatik.embedded}, with test banks. Set KONTOMATIK_API_KEY to use Kontomatik.`,
      )
    await stopRequested
    log.info('Stopping.')
  })
}

function stopWithoutPostgres(error: Error): void {
  log.fatal({ err: error }, 'Postgres could not be restarted, so the server stops.')
  process.exitCode = 1
  stop.abort()
}

/** Subscribes the demo at the local Stripe and prints a token for each of its people. A failure does not stop the server. */
async function printDemoTokens(
  database: DataSource,
  issuer: OwnIssuer,
  { billing, local }: OpenedStripe,
): Promise<void> {
  // A shutdown closes the database, which makes both steps fail.
  const warn = (sentence: string) => (error: Error) => {
    if (!stop.signal.aborted) log.warn({ err: error }, sentence)
  }
  if (local)
    await subscribeDemo(database, billing).catch(warn('The demo could not subscribe. The next start tries it again.'))
  const print = async () => {
    for (const person of Object.keys(people) as (keyof typeof people)[])
      log.info(`Token for the ${person} of the demo: ${await tokenFor(database, issuer, person)}`)
  }
  await print().catch(warn('The tokens of the demo could not be printed. Use "npm run token".'))
}

function readConfigOrExit(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}
