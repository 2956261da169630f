import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { pino } from 'pino'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { backgroundSource } from '../../ormconfig.ts'
import { deadJobs, replayJobs } from '../../src/queue/crashed-jobs.ts'
import { enqueue } from '../../src/queue/enqueue.ts'
import { retryAbandonedJobs } from '../../src/queue/job-locks.ts'
import { concurrency, type Queue, startQueue } from '../../src/queue/queue.ts'
import { survivePoolErrors } from '../../src/runtime/database.ts'
import { eventually } from '../support/eventually.ts'
import { openWorld } from '../support/world.ts'

const { database, ending } = await openWorld()

const background = await backgroundSource(database, concurrency + 4).initialize()
survivePoolErrors(background)
ending.unshift(() => background.destroy())
const { master: pool } = background.driver as PostgresDriver

const done: string[] = []
const gates = new Map<string, () => void>()

/** `note` ends at once; `wait` ends when the test opens its gate. */
const tasks = {
  note: async ({ text }: { text: string }) => done.push(text),
  wait: ({ text }: { text: string }) =>
    new Promise<void>((go) => {
      gates.set(text, go)
    }).then(() => done.push(text)),
}

/** The lines that the queue has logged. */
const logged: string[] = []
const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(line) })

const queues: Queue[] = []
async function start(): Promise<Queue> {
  const queue = await startQueue({
    pool,
    tasks,
    crontab: '',
    pollIntervalMs: 50,
    lockRenewalMs: 100,
    storeTimeoutMs: 200,
    log,
  })
  queues.push(queue)
  return queue
}

afterEach(async () => {
  logged.length = 0
  for (const go of gates.values()) go()
  gates.clear()
  for (const queue of queues.splice(0)) await queue.stop()
})

/** Stops the queue's runner after it listens, as a migration of graphile-worker's tables by another process does. */
async function stopRunner(): Promise<void> {
  const code = process.exitCode
  await eventually(async () => {
    await database.query(`NOTIFY "worker:migrate", '{"breaking":true}'`)
    expect(logged).toContainEqual(expect.stringContaining('starting it again'))
  })
  process.exitCode = code
}

/** Resolves when a connection is requested, which is how the start of a queue begins. */
function untilConnecting(): Promise<void> {
  const { connect } = pool
  return new Promise((asked) => {
    pool.connect = ((...given: never[]) => {
      asked()
      pool.connect = connect
      return connect.apply(pool, given)
    }) as typeof connect
  })
}

/** Holds the queries for a job, until the test allows them. `asked` resolves when each worker of a queue has sent one. */
function holdJobQueries(): { asked: Promise<void>; go: () => void } {
  const { connect } = pool
  const held: (() => void)[] = []
  let allAsked = () => {}
  const asked = new Promise<void>((resolve) => {
    allAsked = resolve
  })
  const hold = (client: PoolClient): PoolClient => {
    const query = async (...given: [{ text?: string }]) => {
      if (given[0].text?.includes('attempts = jobs.attempts + 1'))
        await new Promise<void>((go) => {
          if (held.push(go) === concurrency) allAsked()
        })
      return client.query.apply(client, given as never)
    }
    return { query, release: (error?: Error) => client.release(error) } as never
  }
  pool.connect = ((callback?: never) =>
    callback ? connect.call(pool, callback) : connect.call(pool).then(hold)) as typeof connect
  return {
    asked,
    go() {
      pool.connect = connect
      for (const go of held) go()
    },
  }
}

const order = (task: keyof typeof tasks, text: string) => enqueue(database, task, { text }, { key: text })
const untilDone = (text: string) => eventually(() => expect(done).toContain(text))
const untilWaiting = (text: string) => eventually(() => expect([...gates.keys()]).toContain(text))

/** The worker that has locked a job, and the age of its last renewal in seconds. */
async function lockOf(text: string): Promise<{ by: string | null; age: number } | undefined> {
  const [lock] = await database.query(
    `SELECT locked_by AS "by", extract(epoch FROM now() - locked_at)::float AS "age" FROM graphile_worker.jobs WHERE "key" = $1`,
    [text],
  )
  return lock
}

const letAge = (text: string, seconds: number) =>
  database.query(
    `UPDATE graphile_worker._private_jobs SET locked_at = locked_at - make_interval(secs => $2) WHERE "key" = $1`,
    [text, seconds],
  )

test('a long job stays with its process as long as that lives', async () => {
  await start()
  await order('wait', 'long')
  await untilWaiting('long')
  const taken = await lockOf('long')
  await letAge('long', 3600)
  await eventually(
    () => lockOf('long'),
    (lock) => expect(lock?.age).toBeLessThan(2),
  )
  await retryAbandonedJobs(database)
  expect(await lockOf('long')).toMatchObject({ by: taken?.by })
  gates.get('long')?.()
  await untilDone('long')
})

test('a job of a dead process is taken by another one after a minute', async () => {
  await order('note', 'left')
  await database.query(
    `UPDATE graphile_worker._private_jobs SET locked_at = now(), locked_by = 'gone', attempts = 1 WHERE "key" = 'left'`,
  )
  await start()
  await letAge('left', 55)
  await retryAbandonedJobs(database)
  expect(await lockOf('left')).toMatchObject({ by: 'gone' })
  await letAge('left', 6)
  await retryAbandonedJobs(database)
  await untilDone('left')
})

/** Locks a job as a process does that was killed during it more than a minute ago. */
async function crash(text: string): Promise<void> {
  await database.query(
    `UPDATE graphile_worker._private_jobs SET locked_at = now() - interval '61 s', locked_by = 'gone' WHERE "key" = $1`,
    [text],
  )
  await retryAbandonedJobs(database, log)
}

/** The seconds until a job is due, and whether it is dead-lettered. */
async function due(text: string): Promise<{ wait: number; dead: boolean }> {
  const [job] = await database.query(
    `SELECT extract(epoch FROM run_at - now())::float AS "wait", attempts >= max_attempts AS "dead"
      FROM graphile_worker.jobs WHERE "key" = $1`,
    [text],
  )
  return job
}

test('a job that ends its process repeatedly waits longer each time, and is dead-lettered in the end', async () => {
  const waits: number[] = []
  for (let count = 0; count < 8; count++) {
    // The minute's sweep enqueues it again, which resets the job.
    await order('note', 'poison')
    await crash('poison')
    waits.push(Math.abs(Math.round((await due('poison')).wait / 60)))
  }
  expect(waits.slice(0, 7)).toEqual([0, 1, 2, 4, 8, 16, 32])
  expect((await due('poison')).dead).toBe(true)
  expect(logged).toContainEqual(expect.stringContaining('its process ended too often'))
  expect(await deadJobs(database)).toMatchObject([{ task: 'note', key: 'poison', crashes: 8 }])

  await order('note', 'poison')
  await start()
  await eventually(async () => expect(await due('poison')).toBeUndefined())
  expect(done).not.toContain('poison')

  await replayJobs(database, ['poison'])
  await untilDone('poison')
  expect(await deadJobs(database)).toEqual([])
})

test('a job that is enqueued again during its pause waits until the pause ends', async () => {
  await order('note', 'early')
  await crash('early')
  await crash('early')
  await enqueue(database, 'note', { text: 'early' }, { key: 'early', replace: true })
  await start()
  await eventually(async () => expect((await due('early')).wait).toBeGreaterThan(50))
  expect(done).not.toContain('early')
})

test('a job that runs twice is done when its first run ends, and both processes continue', async () => {
  await start()
  await order('wait', 'twice')
  await untilWaiting('twice')
  const first = gates.get('twice')
  gates.delete('twice')
  const { by } = (await lockOf('twice')) ?? {}
  await database.query('SELECT graphile_worker.force_unlock_workers($1)', [[by]])
  await untilWaiting('twice')
  first?.()
  await eventually(
    () => lockOf('twice'),
    (lock) => expect(lock).toBeUndefined(),
  )
  gates.get('twice')?.()
  await eventually(() => expect(done.filter((text) => text === 'twice')).toHaveLength(2))
  for (let place = 0; place < 2 * concurrency; place++) await order('note', `after-${place}`)
  for (let place = 0; place < 2 * concurrency; place++) await untilDone(`after-${place}`)
})

test('a queue that has stopped by itself restarts, and does the jobs that were enqueued meanwhile', async () => {
  await start()
  await stopRunner()
  await order('note', 'meanwhile')
  await untilDone('meanwhile')
  await order('note', 'afterwards')
  await untilDone('afterwards')
})

test('a queue that is stopped during its restart stays stopped', async () => {
  const queue = await start()
  await stopRunner()
  await untilConnecting()
  await queue.stop()
  await order('note', 'never')
  await sleep(500)
  expect(done).not.toContain('never')
})

test('a stop waits for a job that a query in flight at the stop has taken', async () => {
  const queue = await start()
  const { asked, go } = holdJobQueries()
  await asked
  await order('wait', 'in-flight')
  let stopped = false
  const stop = queue.stop().then(() => {
    stopped = true
  })
  go()
  await untilWaiting('in-flight')
  // Longer than the time for storing the end of jobs.
  await sleep(500)
  expect(stopped).toBe(false)
  gates.get('in-flight')?.()
  await stop
  expect(done).toContain('in-flight')
  expect(logged).toEqual([])
  // The queue does not wait until the end of such a job is stored.
  await eventually(async () => expect(await lockOf('in-flight')).toBeUndefined())
})

test('a queue that cannot store the end of a job stops all the same, and keeps the job', async () => {
  const queue = await start()
  await order('wait', 'unstored')
  await untilWaiting('unstored')
  const { connect } = pool
  const lost = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  pool.connect = ((callback?: (error: Error) => void) =>
    callback ? callback(lost) : Promise.reject(lost)) as typeof connect
  try {
    gates.get('unstored')?.()
    await untilDone('unstored')
    await queue.stop()
    expect(logged).toContainEqual(expect.stringContaining('could not be stored'))
  } finally {
    pool.connect = connect
  }
  expect(await lockOf('unstored')).toMatchObject({ by: expect.any(String) })
})
