import type { DataSource } from 'typeorm'
import { StripeEvent } from '../../entities/index.ts'
import { replayEvents } from '../billing/webhooks/replay-events.ts'
import { runCommand, withDatabase } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run webhooks -- failed            lists the events that were put aside after failing too often
npm run webhooks -- replay <id>…     has events applied anew, by their ids
npm run webhooks -- replay --failed  has all that were put aside applied anew`

/** `npm run webhooks` shows what came of Stripe's events, and has them applied anew. */
const { positionals, values } = parseOptions({ failed: { type: 'boolean' } }, usage)
const [verb, ...ids] = positionals
if (verb !== 'failed' && !(verb === 'replay' && (values.failed || ids.length > 0))) {
  console.error(usage)
  process.exit(1)
}
await runCommand((config) => withDatabase(config, verb === 'failed' ? list : again))

async function list(database: DataSource): Promise<void> {
  const failed = await database.manager.find(StripeEvent, { where: { status: 'failed' }, order: { receivedAt: 'ASC' } })
  for (const { id, type, customerId, attempts, error } of failed)
    console.log(`${id}  ${type}  ${customerId}  after ${attempts} attempts: ${error}`)
  if (failed.length === 0) console.log('None has failed.')
}

async function again(database: DataSource): Promise<void> {
  const replayed = await replayEvents(database, values.failed ? undefined : ids)
  for (const id of replayed) console.log(`${id} will be applied anew.`)
  const unknown = ids.filter((id) => !replayed.includes(id))
  for (const id of unknown) console.error(`${id} is not an event that was stored, or is about no customer.`)
  if (unknown.length > 0) process.exitCode = 1
}
