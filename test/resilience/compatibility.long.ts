import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm'
import { raiseCompatibleFrom } from '../../src/migrations/compatibility.ts'
import { migrate } from '../../src/migrations/migrate.ts'
import { survivePoolErrors } from '../../src/runtime/database.ts'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { database, ending } from '../support/world.ts'

/*
 * Where else older code could reach a newer schema: the server, a worker that is started again, and each command. Newer code is
 * played by this code with more migrations.
 */
class Wider1999000000001 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query('ALTER TABLE "location" ADD COLUMN "wider" text')
  }
  async down() {}
}

class Broken1999000000002 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await raiseCompatibleFrom(runner, this)
  }
  async down() {}
}

class Later1999000000003 implements MigrationInterface {
  async up() {}
  async down() {}
}

const known = database.options.migrations as (new () => MigrationInterface)[]

/** Migrates as code that knows some migrations more. */
async function migrateWith(...more: (new () => MigrationInterface)[]): Promise<void> {
  const source = new DataSource({ ...database.options, migrations: [...known, ...more] } as DataSource['options'])
  await source.initialize()
  survivePoolErrors(source)
  try {
    await migrate(source)
  } finally {
    await source.destroy()
  }
}

const sentence =
  /The database has a schema for newer code: it needs migration 1999000000002, and this code ends with \d{13}\. Deploy the newer version\.\n/

test('older code serves on a newer schema, until a migration says that it cannot', async () => {
  const service = new ServerProcess({ ...serverEnvironment('compatible'), WORKERS: '2', LOG_LEVEL: 'info' })
  ending.unshift(() => service.close())
  await migrateWith(Wider1999000000001)
  await service.start()
  await migrateWith(Wider1999000000001, Broken1999000000002, Later1999000000003)
  await service.ready()

  const worker = await eventually(
    async () => {
      await fetch(`http://127.0.0.1:${service.port}/countries`)
      return Number(/"pid":(\d+)[^\n]+"msg":"answered"/.exec(service.said.join(''))?.[1])
    },
    (pid) => expect(pid).toBeGreaterThan(0),
  )
  expect(service.said.join('')).not.toMatch(sentence)
  process.kill(worker, 'SIGKILL')
  await eventually(
    () => service.said.join(''),
    (said) => expect(said).toMatch(sentence),
    30,
  )
  await service.close()
})

test('older code refuses to start where a migration has raised what is compatible, and so do its commands', async () => {
  for (const WORKERS of ['1', '2']) {
    const service = new ServerProcess({ ...serverEnvironment('incompatible'), WORKERS })
    ending.unshift(() => service.close())
    await expect(service.start()).rejects.toThrow('does not serve')
    expect([await service.ended(), service.said.join('')]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^${sentence.source}$`)),
    ])
  }
  const env = { PATH: process.env.PATH, ...serverEnvironment('incompatible') }
  for (const words of [
    ['migrate'],
    ['seed'],
    ['webhooks', '--', 'failed'],
    ['module', '--', 'acme', 'planning', 'on'],
  ]) {
    const failed = await promisify(execFile)('npm', ['run', '--silent', ...words], { env }).catch((error) => error)
    expect([failed.code, failed.stdout, failed.stderr]).toEqual([1, '', expect.stringMatching(sentence)])
  }
  await expect(migrateWith()).rejects.toThrow('for newer code')
  await migrateWith(Broken1999000000002)
  await migrateWith(Later1999000000003)
})
