import type { Server } from 'node:http'
import { join } from 'node:path'
import { pino } from 'pino'
import type { DataSource } from 'typeorm'
import { isOwn, localIssuer, type OwnIssuer, ownIssuer, remoteIssuer } from './access/keys.ts'
import { createApp } from './app.ts'
import { startBackground } from './background.ts'
import { type Config, readConfig } from './config.ts'
import { openDatabase } from './database.ts'
import { people, seed, subscribeDemo, tokenFor } from './demo.ts'
import { httpServer } from './http.ts'
import { stopJsonld } from './hydra/jsonld.ts'
import { openKontomatik } from './kontomatik.ts'
import { openMailer } from './mail/mail.ts'
import { type OpenedStripe, openStripe } from './stripe.ts'

const config = settings()
/** What a statement was run with is nobody's business: a mail, say, and the token in it. */
const log = pino({ level: config.logLevel, base: undefined, redact: { paths: ['err.parameters'], remove: true } })
const state = { draining: false }
const leaving = new Promise<void>((leave) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave)
})

await run().catch((error) => {
  log.fatal({ err: error }, 'the server could not start')
  process.exitCode = 1
})

/** Boots, serves until it is told to stop, and lets go of everything again, the last first. */
async function run(): Promise<void> {
  const endings: (() => Promise<void>)[] = [stopJsonld]
  try {
    const { database, embedded, close } = await openDatabase(config, (line) => log.info(line))
    endings.push(close)
    const stripe = await openStripe(config)
    endings.push(stripe.close)
    const kontomatik = await openKontomatik(config)
    endings.push(kontomatik.close)
    const mails = join(config.dataDirectory, 'mail')
    const mailer = openMailer(config.smtp, mails, log)
    endings.push(async () => mailer.close())
    const [{ billing }, { banking }] = [stripe, kontomatik]
    endings.push(await startBackground(database, { billing, banking, mailer }, log))
    const issuer = config.auth ? remoteIssuer(config.auth) : await ownIssuer(localIssuer, config.dataDirectory)
    const app = createApp({ config, database, billing, banking, issuer, log, state })
    const server = httpServer(app, config.publicUrl)
    await listen(server, config)
    endings.push(() => drain(server))
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

/** Makes the demo, once, and says how to get in. */
async function welcome(database: DataSource, issuer: OwnIssuer, { billing, local }: OpenedStripe): Promise<void> {
  if (await seed(database, issuer.issuer, { manualBilling: !local })) log.info('A demo organization has been made.')
  if (local) await subscribeDemo(database, billing)
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

function listen(server: Server, { port, host }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
}

/** Finishes what is under way and takes in nothing new; what is not done after ten seconds is cut. */
async function drain(server: Server): Promise<void> {
  state.draining = true
  const cut = setTimeout(() => server.closeAllConnections(), 10_000)
  await new Promise<void>((closed) => server.close(() => closed()))
  clearTimeout(cut)
}
