import type { Server } from 'node:http'
import { pino } from 'pino'
import { isOwn, localIssuer, ownIssuer, remoteIssuer } from './access/keys.ts'
import { createApp } from './app.ts'
import { endPeriods } from './billing/periods.ts'
import { type Config, readConfig } from './config.ts'
import { openDatabase } from './database.ts'
import { people, seed, tokenFor } from './demo.ts'
import { expireKeys } from './expiry.ts'
import { httpServer } from './http.ts'
import { stopJsonld } from './hydra/jsonld.ts'
import { keepTotals } from './totals.ts'

const config = settings()
const log = pino({ level: config.logLevel, base: undefined })
const state = { draining: false }
const leaving = new Promise<void>((leave) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave)
})

await run().catch((error) => {
  log.fatal({ err: error }, 'the server could not start')
  process.exitCode = 1
})

/** Boots, serves until it is told to stop, and lets go of everything again. */
async function run(): Promise<void> {
  const { database, embedded, close } = await openDatabase(config, (line) => log.info(line))
  const stopPeriods = endPeriods(database, log)
  const stopTotals = keepTotals(database, log)
  const stopExpiry = expireKeys(database, log)
  try {
    const issuer = config.auth ? remoteIssuer(config.auth) : await ownIssuer(localIssuer, config.dataDirectory)
    const server = httpServer(createApp({ config, database, issuer, log, state }), config.publicUrl)
    await listen(server, config)
    log.info(`Listening: start at ${config.publicUrl}/`)
    if (isOwn(issuer)) {
      if (await seed(database, issuer.issuer)) log.info('A demo organization has been made.')
      for (const person of Object.keys(people) as (keyof typeof people)[])
        log.info(`Token for the ${person} of the demo: ${await tokenFor(database, issuer, person)}`)
    }
    if (embedded) log.info(`Embedded: Postgres, with its data in ${embedded}. Set DATABASE_URL to use another.`)
    await leaving
    await drain(server)
  } finally {
    stopPeriods()
    stopTotals()
    stopExpiry()
    await stopJsonld()
    await close()
  }
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
  log.info('Stopping.')
  state.draining = true
  const cut = setTimeout(() => server.closeAllConnections(), 10_000)
  await new Promise<void>((closed) => server.close(() => closed()))
  clearTimeout(cut)
}
