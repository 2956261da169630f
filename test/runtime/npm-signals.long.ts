import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/processes/free-port.ts'
import { openWorld } from '../support/world.ts'

const { ending } = await openWorld()

/* systemd, Docker and hosting platforms send SIGTERM to npm, some of them to its process group. A terminal sends SIGINT to the group. */

async function newDataDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'npm-signals-'))
  await chmod(directory, 0o755)
  ending.unshift(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const readyStatus = (port: number) =>
  fetch(`http://127.0.0.1:${port}/health/ready`).then(
    ({ status }) => status,
    () => 0,
  )

test.each<[string, string[], NodeJS.Signals, boolean]>([
  ['npm start', ['start'], 'SIGTERM', false],
  ['npm start with its process group', ['start'], 'SIGTERM', true],
  ['npm start in a terminal', ['start'], 'SIGINT', true],
  ['npm run dev', ['run', 'dev'], 'SIGTERM', false],
  ['npm run dev in a terminal', ['run', 'dev'], 'SIGINT', true],
])(
  '%s ends with its signal, and so do the server and Postgres',
  async (_, script, signal, group) => {
    const [directory, port] = [await newDataDirectory(), await freePort()]
    const { PATH, HOME } = process.env
    const child = spawn('npm', script, {
      env: { PATH, HOME, PORT: String(port), DATA_DIR: directory, LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    })
    const ended = once(child, 'exit')
    const pid = child.pid as number
    try {
      await eventually(
        () => readyStatus(port),
        (status) => expect(status).toBe(200),
        90,
      )
      const cluster = (await readdir(directory)).find((name) => /^postgres-\d+$/.test(name)) as string
      const postmaster = join(directory, cluster, 'postmaster.pid')
      await access(postmaster)
      process.kill(group ? -pid : pid, signal)
      await ended
      await eventually(() => expect(access(postmaster)).rejects.toThrow('ENOENT'), undefined, 15)
      expect(await readyStatus(port)).toBe(0)
    } finally {
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {}
    }
  },
  180_000,
)
