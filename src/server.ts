import cluster from 'node:cluster'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { pino } from 'pino'
import type { DataSource } from 'typeorm'
import { isOwn, type OwnIssuer } from './access/keys.ts'
import { startBackground } from './background.ts'
import { type Config, keepsFiles, readConfig } from './config.ts'
import { openDatabase } from './database.ts'
import { people, seed, subscribeDemo, tokenFor } from './demo.ts'
import { makeDataDirectory } from './environment/data-directory.ts'
import { lockDataDirectory } from './environment/directory-lock.ts'
import { StartError } from './environment/start-error.ts'
import { stopThreads } from './hydra/thread.ts'
import { openIssuer } from './issuer.ts'
import { openKontomatik } from './kontomatik.ts'
import { openMailer } from './mail/mail.ts'
import { moveLinks } from './moved-links.ts'
import { output } from './output.ts'
import { serve, tryAddress } from './serving.ts'
import { type OpenedStripe, openStripe } from './stripe.ts'
import { work } from './worker.ts'
import { startWorkers } from './workers.ts'

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
  output(),
)
const leaving = new Promise<void>((leave) => {
  // A worker may be told by the terminal and by the first process, too; who asks that one twice will not wait.
  for (const signal of ['SIGINT', 'SIGTERM']) process[cluster.isWorker ? 'on' : 'once'](signal, () => leave())
})

await (cluster.isWorker ? work(config, log, leaving) : run()).catch((error) => {
  if (error instanceof StartError) console.error(error.message)
  else log.fatal({ err: error }, `the server could not start: ${error.message}`)
  process.exitCode = 1
})

/** Boots, serves until it is told to stop, and lets go of everything again, the last first. */
async function run(): Promise<void> {
  const endings: (() => Promise<void>)[] = [stopThreads]
  try {
    if (keepsFiles(config)) {
      await makeDataDirectory(config.dataDirectory)
      endings.push(await lockDataDirectory(config.dataDirectory))
    }
    await tryAddress(config)
    const opened = await openDatabase(config, (line) => log.info(line))
    const { database, embedded } = opened
    endings.push(opened.close)
    const stripe = await openStripe(config)
    endings.push(stripe.close)
    const kontomatik = await openKontomatik(config)
    endings.push(kontomatik.close)
    await moveLinks(database, { stripe: stripe.local, kontomatik: kontomatik.embedded })
    const mails = join(config.dataDirectory, 'mail')
    const mailer = openMailer(config.smtp, mails, log)
    endings.push(async () => mailer.close())
    const [{ billing }, { banking }] = [stripe, kontomatik]
    endings.push(await startBackground(database, { billing, banking, mailer }, log))
    const issuer = await openIssuer(config)
    // Before anybody is answered: who already serves does not end because a demo could not be made.
    if (isOwn(issuer) && (await seed(database, issuer.issuer, { manualBilling: !stripe.local })))
      log.info('A demo organization has been made.')
    const environment = { ...opened.environment, ...stripe.environment, ...kontomatik.environment }
    endings.push(
      config.workers === 1
        ? await serve({ config, database, billing, banking, issuer, log })
        : await startWorkers({ count: config.workers, environment, leaving, log }),
    )
    log.info(`Listening: start at ${config.publicUrl}/`)
    if (isOwn(issuer)) await welcome(database, issuer, stripe)
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
  } finally {
    for (const end of endings.reverse()) await end()
  }
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
