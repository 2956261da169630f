import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm'
import { raiseCompatibleFrom } from '../../src/migrations/compatibility.ts'
import { migrate } from '../../src/migrations/migrate.ts'
import { survivePoolErrors } from '../../src/runtime/database.ts'
import { eventually } from '../support/eventually.ts'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { database, ending } = await openWorld()

/*
 * The server, a restarted worker and each command could meet the schema of newer code. Newer code is this code with more
 * migrations.
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

/** Migrates as newer code with additional migrations does. */
async function migrateWith(...additional: (new () => MigrationInterface)[]): Promise<void> {
  const source = new DataSource({ ...database.options, migrations: [...known, ...additional] } as DataSource['options'])
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

test('older code serves on a newer schema, until a migration declares it incompatible', async () => {
  const service = new ServerProcess({ ...serverEnvironment('compatible'), WORKERS: '2', LOG_LEVEL: 'info' })
  ending.unshift(() => service.close())
  await migrateWith(Wider1999000000001)
  await service.start()
  // One worker may answer before the other has checked the schema.
  await eventually(() => expect(service.output.join('')).toContain('Listening'), undefined, 30)
  await migrateWith(Wider1999000000001, Broken1999000000002, Later1999000000003)
  await service.ready()

  const worker = await eventually(
    async () => {
      await fetch(`http://127.0.0.1:${service.port}/countries`)
      return Number(/"pid":(\d+)[^\n]+"msg":"answered"/.exec(service.output.join(''))?.[1])
    },
    (pid) => expect(pid).toBeGreaterThan(0),
  )
  expect(service.output.join('')).not.toMatch(sentence)
  process.kill(worker, 'SIGKILL')
  await eventually(
    () => service.output.join(''),
    (output) => expect(output).toMatch(sentence),
    30,
  )
  await service.close()
})

test('older code and its commands refuse to start after an incompatible migration', async () => {
  for (const WORKERS of ['1', '2']) {
    const service = new ServerProcess({ ...serverEnvironment('incompatible'), WORKERS })
    ending.unshift(() => service.close())
    await expect(service.start()).rejects.toThrow('does not serve')
    expect([await service.ended(), service.output.join('')]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^${sentence.source}$`)),
    ])
  }
  const env = { PATH: process.env.PATH, ...serverEnvironment('incompatible') }
  for (const args of [
    ['migrate'],
    ['seed'],
    ['webhooks', '--', 'failed'],
    ['module', '--', 'acme', 'planning', 'on'],
  ]) {
    const failed = await promisify(execFile)('npm', ['run', '--silent', ...args], { env }).catch((error) => error)
    expect([failed.code, failed.stdout, failed.stderr]).toEqual([1, '', expect.stringMatching(sentence)])
  }
  await expect(migrateWith()).rejects.toThrow('for newer code')
  await migrateWith(Broken1999000000002)
  await migrateWith(Later1999000000003)
})
