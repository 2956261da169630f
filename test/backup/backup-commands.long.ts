import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seedDemo } from '../../src/demo/demo.ts'
import { eventually } from '../support/eventually.ts'
import { CuttableConnection } from '../support/processes/cuttable-connection.ts'
import { blocksOf, patternOf, Terminal } from '../support/readme-walk.ts'
import { openWorld } from '../support/world.ts'
import {
  backUpTo,
  contentOf,
  emptyDatabase,
  folder,
  migratedDatabase,
  passphrase,
  restoreFrom,
  urlOf,
} from './databases.ts'

const { database, directUrl, ending, issuer } = await openWorld()

await seedDemo(database, issuer.issuer, { manualBilling: true })
// A table of more than one part, after the table at which a command is stalled.
await database.query(
  `INSERT INTO "image" ("id", "type", "width", "height", "bytes") VALUES ($1, 'image/png', 1, 1, $2)`,
  ['0'.repeat(64), randomBytes(2 * 1024 * 1024)],
)

const { version } = JSON.parse(await readFile('package.json', 'utf8'))
const environment = { PATH: process.env.PATH, HOME: process.env.HOME, BACKUP_PASSPHRASE: passphrase }

/** A command of the build, with its output. */
class Command {
  output = ''
  private readonly child: ChildProcess
  private readonly closed: Promise<unknown[]>

  constructor(name: string, args: string[], settings: Record<string, string | undefined>) {
    const env = { ...environment, ...settings }
    this.child = spawn(process.execPath, [`dist/bundle/${name}.js`, ...args], { env, stdio: 'pipe' })
    this.closed = once(this.child, 'close')
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on('data', (text) => (this.output += text))
  }

  onOutput(listen: () => void): void {
    this.child.stderr?.on('data', listen)
  }

  /** Types a text, and closes the input: unlike a terminal, a pipe that is read no more keeps the process. */
  type(text: string): void {
    this.child.stdin?.end(text)
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Waits for the end. @returns the exit code, or the signal */
  async ended(): Promise<unknown> {
    const [code, signal] = await this.closed
    return signal ?? code
  }
}

/** Runs a command on a database until its first table is copied, then lets the database answer no more. */
async function stalled(name: string, args: string[], url: string): Promise<{ command: Command; resume: () => void }> {
  const address = new URL(url)
  const proxy = new CuttableConnection(join(address.searchParams.get('host') ?? '', `.s.PGSQL.${address.port}`))
  await proxy.open()
  ending.unshift(() => proxy.cut())
  const command = new Command(name, args, {
    DATABASE_URL: `postgres://${address.username}@127.0.0.1:${proxy.port}${address.pathname}`,
  })
  command.onOutput(() => {
    if (command.output.includes('country: ')) proxy.stall()
  })
  await eventually(() => expect(command.output).toContain('country: '), undefined, 60)
  return { command, resume: () => proxy.resume() }
}

test('the commands of the guide back up, check and restore, and a key that the server made comes back', async () => {
  const [block] = blocksOf('docs/guides/operations.md').filter(({ heading }) => heading === 'Backup and restore')
  const restored = await emptyDatabase()
  const [before, after] = [join(folder, 'before'), join(folder, 'after')]
  for (const directory of [before, after]) await mkdir(directory)
  await writeFile(join(before, 'secrets.key'), randomBytes(32).toString('base64'))
  const terminal = new Terminal({
    ...environment,
    ...{ DATABASE_URL: directUrl, DATA_DIR: before },
    ...{ NEW_DATABASE_URL: urlOf(restored), NEW_DATA_DIR: after, BACKUPS: folder },
  })
  try {
    for (const { command, shown } of block.steps) {
      const output = (await terminal.run(command)).replaceAll('\n', '')
      expect({ command, output }).toEqual({ command, output: expect.stringMatching(patternOf(shown)) })
    }
  } finally {
    terminal.close()
  }
  expect(await contentOf(restored)).toEqual(await contentOf(database))
  const [key, copy] = await Promise.all([before, after].map((directory) => readFile(join(directory, 'secrets.key'))))
  expect(copy).toEqual(key)
}, 120_000)

test('a backup that is killed leaves no file of its name, and one that is stopped leaves no file', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const path = join(folder, signal)
    const { command, resume } = await stalled('backup', [path], directUrl)
    command.kill(signal)
    expect([signal, await command.ended()]).toEqual([signal, signal === 'SIGKILL' ? signal : 1])
    if (signal === 'SIGTERM') expect(command.output).toContain('The backup was stopped. Nothing was written.')
    resume()
    const left = (await readdir(folder)).filter((name) => name.startsWith(signal))
    expect(left).toEqual(signal === 'SIGKILL' ? [expect.stringMatching(/^SIGKILL\.[0-9a-f]{8}\.partial$/)] : [])
    for (const name of left) {
      expect(await readFile(join(folder, name), 'latin1')).toContain(`{"version":"${version}",`)
      await expect(restoreFrom(join(folder, name), database)).rejects.toThrow(
        /was cut, damaged or altered|the start of .+ is damaged/,
      )
    }
  }
}, 120_000)

test('a restore that is killed leaves no row, and a second one into the same database is whole', async () => {
  const target = await migratedDatabase()
  const path = await backUpTo('whole')
  const { command, resume } = await stalled('restore', [path], urlOf(target))
  command.kill('SIGKILL')
  expect(await command.ended()).toBe('SIGKILL')
  resume()
  // The rows are locked until Postgres sees that the connection has ended.
  const organizations = () => target.query('SELECT FROM "organization"')
  await eventually(organizations, (found) => expect(found).toEqual([]), 30)
  await restoreFrom(path, target)
  expect(await contentOf(target)).toEqual(await contentOf(database))
}, 120_000)

test('Ctrl-D and Ctrl-C at the question for the passphrase end the command', async () => {
  for (const key of ['\x04', '\x03']) {
    const command = new Command('backup', [join(folder, 'x')], {
      BACKUP_PASSPHRASE: undefined,
      // A pipe that passes for a terminal.
      NODE_OPTIONS: '--import=data:text/javascript,process.stdin.isTTY=true',
    })
    await eventually(() => expect(command.output).toContain('Passphrase of the backup: '))
    command.type(key)
    expect([await command.ended(), command.output]).toEqual([1, 'Passphrase of the backup: \nCancelled.\n'])
  }
})

test('mistakes are answered with one sentence and exit code 1', async () => {
  const lacking = new Command('backup', [join(folder, 'x')], { BACKUP_PASSPHRASE: undefined, DATABASE_URL: directUrl })
  const short = new Command('backup', [join(folder, 'x')], { BACKUP_PASSPHRASE: 'short', DATABASE_URL: directUrl })
  const usage = new Command('restore', [], { DATABASE_URL: directUrl })
  expect(await Promise.all([lacking, short, usage].map((command) => command.ended()))).toEqual([1, 1, 1])
  expect(lacking.output).toBe('BACKUP_PASSPHRASE must be set where no terminal can ask for it.\n')
  expect(short.output).toBe('The passphrase must have at least 12 characters, for example five random words.\n')
  expect(usage.output).toMatch(/^npm run restore -- <file>/)
})
