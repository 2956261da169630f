import '../../support/pooler/pooled-world.ts'
import { execFile } from 'node:child_process'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import request from 'supertest'
import { Like } from 'typeorm'
import { OutgoingMail } from '../../../entities/index.ts'
import { eventually } from '../../support/eventually.ts'
import { pooledWorld } from '../../support/pooler/pooled-world.ts'
import { Pooler } from '../../support/pooler/pooler.ts'
import { serverEnvironment } from '../../support/processes/server-environment.ts'
import { ServerProcess } from '../../support/processes/server-process.ts'

const { database, databaseName, directUrl, ending, pooler, tenant, tokenOf } = pooledWorld

const { host, port, user } = JSON.parse(process.env.TEST_POSTGRES ?? '{}')
const token = await tokenOf(tenant.users.owner)

async function openPooler(options: Partial<ConstructorParameters<typeof Pooler>[0]>): Promise<Pooler> {
  const socket = join(host, `.s.PGSQL.${port}`)
  const opened = await new Pooler({ socket, user, database: databaseName, ...options }).open()
  ending.push(() => opened.close())
  return opened
}

/** Runs `npm run migrate`, which starts as a server does. */
async function migrate(environment: Record<string, string>): Promise<{ code: number; text: string }> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment }
  const run = promisify(execFile)(process.execPath, ['dist/bundle/migrate.js'], { env })
  return run.then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    ({ code, stderr }) => ({ code, text: stderr }),
  )
}

describe('A start behind a pooler', () => {
  const limits = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'options']
  const remedy =
    'Migrations, jobs and locks need sessions of Postgres. Set DATABASE_DIRECT_URL to the address of Postgres itself.\n'
  const shared = `which cannot be used: a pooler there gives each transaction another connection. ${remedy}`

  test.each([
    [
      'refuses the limits of a session',
      [],
      `which cannot be used: unsupported startup parameter: statement_timeout. ${remedy}`,
    ],
    ['ignores the limits of a session', limits, shared],
  ])('fails without DATABASE_DIRECT_URL where the pooler %s', async (_, ignored, reason) => {
    const { url, port } = await openPooler({ ignored })
    const text = `DATABASE_URL is "postgres://***@127.0.0.1:${port}/${databaseName}", ${reason}`
    expect(await migrate({ DATABASE_URL: url })).toEqual({ code: 1, text })
  })

  test.each([2, 3, 30])('fails where DATABASE_DIRECT_URL leads to a pooler of %i connections', async (size) => {
    const { url, port } = await openPooler({ ignored: limits, size })
    const text = `DATABASE_DIRECT_URL is "postgres://***@127.0.0.1:${port}/${databaseName}", ${shared}`
    expect(await migrate({ DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: url })).toEqual({ code: 1, text })
  })

  test('fails where the pooler does not keep named statements', async () => {
    const { url } = await openPooler({ renames: false, size: 2 })
    expect(await migrate({ DATABASE_URL: url, DATABASE_DIRECT_URL: directUrl })).toEqual({
      code: 1,
      text: 'The pooler at DATABASE_URL does not keep named statements. Set max_prepared_statements of PgBouncer 1.21 or later to 200.\n',
    })
  })

  test('fails where both addresses lead to different databases', async () => {
    const other = directUrl.replace(`/${databaseName}?`, '/postgres?')
    expect(await migrate({ DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: other })).toEqual({
      code: 1,
      text: `DATABASE_URL leads to the database "${databaseName}", and DATABASE_DIRECT_URL to "postgres". Set both to the same database.\n`,
    })
  })

  test('names DATABASE_DIRECT_URL where it does not answer', async () => {
    const { text } = await migrate({
      DATABASE_URL: pooler.url,
      DATABASE_DIRECT_URL: 'postgres://u:hidden@127.0.0.1:1/x',
    })
    expect(text).toMatch(
      /^DATABASE_DIRECT_URL is "postgres:\/\/\*\*\*@127\.0\.0\.1:1\/x", which cannot be used: .+ECONN/,
    )
  })
})

describe.each([1, 2])('A server with WORKERS=%i behind a pooler', (workers) => {
  const service = new ServerProcess(
    { ...serverEnvironment('pooled'), WORKERS: String(workers), LOG_LEVEL: 'warn' },
    true,
  )
  ending.unshift(() => service.close())
  const as = (method: 'get' | 'post', path: string) =>
    request(`http://127.0.0.1:${service.port}`)[method](path).set('Authorization', `Bearer ${token}`)

  beforeAll(() => service.start(), 60_000)

  test('runs the jobs of requests, and its queue listens on Postgres itself', async () => {
    const before = pooler.transactions
    const email = `guest-${workers}@example.com`
    expect((await as('post', '/organization-user-invitations').send({ email, role: 'member' })).status).toBe(201)
    expect(pooler.transactions).toBeGreaterThan(before)
    await eventually(
      () => database.manager.findOneByOrFail(OutgoingMail, { recipient: Like(`%${email}%`) }),
      (mail) => expect(mail).toMatchObject({ status: 'sent' }),
    )
    const listeners = await database.query(
      `SELECT "application_name" FROM pg_stat_activity WHERE "datname" = current_database() AND "query" LIKE 'LISTEN %'`,
    )
    expect(listeners).toContainEqual({ application_name: 'organization-api' })
  })

  test('drains on SIGTERM without cutting a request', async () => {
    const errors: Promise<string | undefined>[] = []
    const answered = Array.from({ length: 8 }, () => {
      return new Promise<void>((resolve) => errors.push(sendUntilRefused(service.port, resolve)))
    })
    await Promise.all(answered)
    process.kill(service.pid, 'SIGTERM')
    expect(await service.ended()).toBe(0)
    expect((await Promise.all(errors)).filter(Boolean)).toEqual([])
    expect(service.output.join('')).toBe('')
  })
})

/** Reads lists until the server no longer listens. @returns the error of a request that was cut */
async function sendUntilRefused(port: number, onAnswer: () => void): Promise<string | undefined> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const headers = { Authorization: `Bearer ${token}` }
  for (;;)
    try {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        get({ host: '127.0.0.1', port, path: '/locations', headers, agent }, (response) =>
          response.resume().on('end', () => resolve(response.statusCode)),
        ).on('error', reject)
      })
      if (status !== 200) return `${status}`
      onAnswer()
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? undefined : String(error)
    }
}
