import type { DataSource } from 'typeorm'
import { deadJobs, replayJobs } from '../queue/crashed-jobs.ts'
import { runCommand, withDatabase } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run jobs -- failed            lists the dead-lettered jobs: those whose process ended too often
npm run jobs -- replay <key>…     enqueues jobs again, by their keys
npm run jobs -- replay --failed   enqueues all dead-lettered jobs again`

/** `npm run jobs` lists dead-lettered jobs and enqueues them again. */
const { positionals, values } = parseOptions({ failed: { type: 'boolean' } }, usage)
const [verb, ...keys] = positionals
if (verb !== 'failed' && !(verb === 'replay' && (values.failed || keys.length > 0))) {
  console.error(usage)
  process.exit(1)
}
await runCommand((config) => withDatabase(config, verb === 'failed' ? listDeadJobs : enqueueAgain))

async function listDeadJobs(database: DataSource): Promise<void> {
  const dead = await deadJobs(database)
  for (const { task, key, crashes } of dead) console.log(`${key}  ${task}  after ${crashes} crashes`)
  if (dead.length === 0) console.log('No job is dead-lettered.')
}

async function enqueueAgain(database: DataSource): Promise<void> {
  const replayed = await replayJobs(database, values.failed ? undefined : keys)
  for (const { task, key } of replayed) console.log(`Enqueued ${key}  ${task}`)
  const unknown = keys.filter((key) => !replayed.some((job) => job.key === key))
  for (const key of unknown) console.error(`"${key}" is not the key of a dead-lettered job.`)
  if (unknown.length > 0) process.exitCode = 1
}
