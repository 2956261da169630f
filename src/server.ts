import cluster from 'node:cluster'
import { once } from 'node:events'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { pino } from 'pino'
import type { DataSource } from 'typeorm'
import { isOwnIssuer, type OwnIssuer } from './access/token-issuer-keys.ts'
import { createApp } from './app.ts'
import { type Config, readConfig, usesDataDirectory } from './config.ts'
import { people, seedDemo, tokenFor } from './demo/demo.ts'
import { subscribeDemo } from './demo/subscribe-demo.ts'
import { stopThreads } from './hydra/formats/thread.ts'
import { openMailer } from './mail/mailer.ts'
import { startBackgroundJobs } from './runtime/background-jobs.ts'
import { startWorkers } from './runtime/cluster/cluster.ts'
import { startEventLoopWatchdog } from './runtime/cluster/event-loop-watchdog.ts'
import { openDatabase } from './runtime/database.ts'
import { checkAddress, startHttpService } from './runtime/http/http-service.ts'
import { openKontomatik } from './runtime/open-kontomatik.ts'
import { type OpenedStripe, openStripe } from './runtime/open-stripe.ts'
import { standardOutput } from './runtime/output.ts'
import { ShutdownSteps } from './runtime/shutdown.ts'
import { updateStoredLinks } from './runtime/stored-links.ts'
import { openIssuer } from './runtime/token-issuer.ts'
import { makeDataDirectory } from './start/data-directory.ts'
import { lockDataDirectory } from './start/directory-lock.ts'
import { StartError } from './start/start-error.ts'
import { startWorkerProcess } from './worker-process.ts'

/**
 * While a server starts, what it makes is there to stay, and V8 may conclude that the like of it always is: it then puts parts of
 * every answer among what is old, where they hold on to the rest of it. Of requests, nothing stays.
 */
setFlagsFromString('--no-allocation-site-pretenuring')

const config = settings()
const log = pino(
  {
    level: config.logLevel,
    base: config.workers > 1 ? { pid: process.pid } : undefined,
    // What a statement was run with is nobody's business: a mail, say, and the token in it.
    redact: { paths: ['err.parameters'], remove: true },
  },
  standardOutput(),
)
const stopped = new AbortController()
const leaving = once(stopped.signal, 'abort').then(() => {})
// A supervisor tells the whole process group and npm passes it on, so a signal may come twice; one that comes later does not wait.
let told = Number.POSITIVE_INFINITY
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    if (!cluster.isWorker && performance.now() - told > 1000) process.exit(1)
    told = Math.min(told, performance.now())
    stopped.abort()
  })

await (cluster.isWorker ? startWorkerProcess(config, log, leaving) : run()).catch((error) => {
  if (error instanceof StartError) console.error(error.message)
  else log.fatal({ err: error }, `the server could not start: ${error.message}`)
  process.exitCode = 1
})

/** Boots, serves until it is told to stop, and ends all that it has started. */
async function run(): Promise<void> {
  const endings = new ShutdownSteps(log, leaving)
  await endings.runUntilStopped(async () => {
    if (usesDataDirectory(config)) {
      await makeDataDirectory(config.dataDirectory)
      const locking = lockDataDirectory(config.dataDirectory)
      await endings.start('directory', 'The lock of DATA_DIR', locking, (unlock) => unlock())
    }
    await checkAddress(config)
    const onLost = (error: Error) => {
      log.fatal({ err: error }, 'Postgres could not be started again, so the server ends.')
      process.exitCode = 1
      stopped.abort()
    }
    const opening = openDatabase(config, (line) => log.info(line), { signal: stopped.signal, onLost })
    const opened = await endings.start('database', 'The database', opening, ({ close }) => close())
    const { database, embedded } = opened
    const stripe = await endings.start('outside', 'The local Stripe', openStripe(config), ({ close }) => close())
    const opensKontomatik = openKontomatik(config)
    const kontomatik = await endings.start('outside', 'The local Kontomatik', opensKontomatik, ({ close }) => close())
    await endings.unlessStopping(updateStoredLinks(database, { stripe: stripe.local, kontomatik: kontomatik.embedded }))
    const mails = join(config.dataDirectory, 'mail')
    const mailer = openMailer(config.smtp, mails, log)
    endings.add('outside', 'The mailer', async () => mailer.close())
    endings.add('outside', 'The threads', stopThreads)
    const [{ billing }, { banking }] = [stripe, kontomatik]
    const background = startBackgroundJobs(database, { billing, banking, mailer }, log)
    await endings.start('work', 'The queue of jobs', background, (stop) => stop())
    const issuer = await endings.unlessStopping(openIssuer(config))
    // Before anybody is answered: who already serves does not end because a demo could not be made.
    const seeding = async () =>
      isOwnIssuer(issuer) && seedDemo(database, issuer.issuer, { manualBilling: !stripe.local })
    if (await endings.unlessStopping(seeding())) log.info('A demo organization has been made.')
    const environment = { ...opened.environment, ...stripe.environment, ...kontomatik.environment }
    const serving =
      config.workers === 1
        ? startHttpService({
            config,
            database,
            log,
            createApp: (service) => createApp({ config, database, billing, banking, issuer, log, ...service }),
          })
        : startWorkers({ count: config.workers, environment, leaving, log })
    await endings.start('work', 'The HTTP server', serving, (stop) => stop())
    startEventLoopWatchdog()
    log.info(`Listening: start at ${config.publicUrl}/`)
    // A server that listens does not end because Postgres is away for a moment.
    const unwelcome = (error: Error) =>
      log.warn({ err: error }, 'The tokens of the demo could not be printed: use `npm run token`.')
    if (isOwnIssuer(issuer)) await endings.unlessStopping(welcome(database, issuer, stripe).catch(unwelcome))
    if (embedded) log.info(`Embedded: Postgres, with its data in ${embedded}. Set DATABASE_URL to use another.`)
    if (stripe.local)
      log.info(
        `Embedded: a Stripe of our own at ${stripe.local}, where no money moves. Set STRIPE_SECRET_KEY to use the real one.`,
      )
    if (!config.smtp) log.info(`Mails are kept in ${mails} and not sent. Set SMTP_URL and MAIL_FROM to send them.`)
    if (kontomatik.embedded)
      log.info(
        `Embedded: a Kontomatik of our own at ${kontomatik.embedded}, with banks that do not exist. Set KONTOMATIK_API_KEY to use the real one.`,
      )
    await leaving
    log.info('Stopping.')
  })
}

/** Has the demo subscribe, once, and says how to get in. */
async function welcome(database: DataSource, issuer: OwnIssuer, { billing, local }: OpenedStripe): Promise<void> {
  if (local)
    await subscribeDemo(database, billing).catch((error) =>
      log.warn({ err: error }, 'the demo could not subscribe: the next start tries again'),
    )
  for (const person of Object.keys(people) as (keyof typeof people)[])
    log.info(`Token for the ${person} of the demo: ${await tokenFor(database, issuer, person)}`)
}

function settings(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
}
