import type { DataSource } from 'typeorm'
import { deadJobs, replayJobs } from '../queue/crashed-jobs.ts'
import { runCommand, withDatabase } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run jobs -- failed            lists the jobs that were dead-lettered because their process ended too often
npm run jobs -- replay <key>…     enqueues them again, by their keys
npm run jobs -- replay --failed   enqueues all of them again`

/** `npm run jobs` lists the jobs that are dead-lettered, and enqueues them again. */
const { positionals, values } = parseOptions({ failed: { type: 'boolean' } }, usage)
const [verb, ...keys] = positionals
if (verb !== 'failed' && !(verb === 'replay' && (values.failed || keys.length > 0))) {
  console.error(usage)
  process.exit(1)
}
await runCommand((config) => withDatabase(config, verb === 'failed' ? list : again))

async function list(database: DataSource): Promise<void> {
  const dead = await deadJobs(database)
  for (const { task, key, crashes } of dead) console.log(`${key}  ${task}  after ${crashes} crashes`)
  if (dead.length === 0) console.log('No job is dead-lettered.')
}

async function again(database: DataSource): Promise<void> {
  const replayed = await replayJobs(database, values.failed ? undefined : keys)
  for (const { task, key } of replayed) console.log(`${key}  ${task}  is enqueued again.`)
  const unknown = keys.filter((key) => !replayed.some((job) => job.key === key))
  for (const key of unknown) console.error(`"${key}" is not the key of a dead-lettered job.`)
  if (unknown.length > 0) process.exitCode = 1
}
