import type { DataSource } from 'typeorm'
import { StripeEvent } from '../../entities/index.ts'
import { replayEvents } from '../billing/webhooks/replay-events.ts'
import { runCommand, withDatabase } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run webhooks -- failed            lists the dead-lettered events: those that failed too often
npm run webhooks -- replay <id>…     applies events again, by their ids
npm run webhooks -- replay --failed  applies all dead-lettered events again`

/** `npm run webhooks` lists dead-lettered events of Stripe and applies events again. */
const { positionals, values } = parseOptions({ failed: { type: 'boolean' } }, usage)
const [verb, ...ids] = positionals
if (verb !== 'failed' && !(verb === 'replay' && (values.failed || ids.length > 0))) {
  console.error(usage)
  process.exit(1)
}
await runCommand((config) => withDatabase(config, verb === 'failed' ? listFailed : applyAgain))

async function listFailed(database: DataSource): Promise<void> {
  const failed = await database.manager.find(StripeEvent, { where: { status: 'failed' }, order: { receivedAt: 'ASC' } })
  for (const { id, type, customerId, attempts, error } of failed)
    console.log(`${id}  ${type}  ${customerId}  after ${attempts} attempts: ${error}`)
  if (failed.length === 0) console.log('No event is dead-lettered.')
}

async function applyAgain(database: DataSource): Promise<void> {
  const replayed = await replayEvents(database, values.failed ? undefined : ids)
  for (const id of replayed) console.log(`Enqueued ${id}.`)
  const unknown = ids.filter((id) => !replayed.includes(id))
  for (const id of unknown) console.error(`${id} is not a stored event of a customer.`)
  if (unknown.length > 0) process.exitCode = 1
}
