import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverEnvironment } from '../support/processes/server-environment.ts'
import { ServerProcess } from '../support/processes/server-process.ts'
import { openWorld } from '../support/world.ts'

const { ending } = await openWorld()

/*
 * Two servers must not write to the same files. They could by another path to the directory, by a path that is too long for a
 * socket, or when they start at once. Commands and the workers of one server share the directory.
 */
const directory = await mkdtemp(join(tmpdir(), 'shared-'))
const alias = `${directory}-alias`
await symlink(directory, alias)
const deep = join(directory, 'd'.repeat(120))
ending.unshift(async () => {
  for (const path of [alias, directory]) await rm(path, { recursive: true, force: true })
})

const serverOn = (DATA_DIR: string, variables: Record<string, string> = {}) => {
  const service = new ServerProcess({ ...serverEnvironment('shared'), DATA_DIR, ...variables })
  ending.unshift(() => service.close())
  return service
}

const sentence = (path: string) =>
  `DATA_DIR is "${path}", which another server uses. Stop that server, or set another DATA_DIR.\n`

test.each([
  ['the same path', directory, directory],
  ['a symbolic link', directory, alias],
  ['a path that is too long for a socket', deep, deep],
])('a second server on a data directory, by %s, prints a sentence and does not start', async (_, path, other) => {
  const first = serverOn(path, { WORKERS: '2' })
  await first.start()
  const second = serverOn(other)
  await expect(second.start()).rejects.toThrow('does not serve')
  expect([await second.ended(), second.output.join('')]).toEqual([1, sentence(other)])
  await first.ready()

  await first.kill()
  const third = serverOn(other)
  await third.start()
  await third.close()
})

test('of servers that start at once on one data directory, at most one serves', async () => {
  const all = Array.from({ length: 4 }, () => serverOn(directory))
  const outcomes = await Promise.allSettled(all.map((service) => service.start()))
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
  for (const [index, { status }] of outcomes.entries())
    if (status === 'rejected') expect(all[index].output.join('')).toBe(sentence(directory))
  for (const service of all) await service.close()
})

test('a server that stops leaves no lock behind, and locks of killed servers are removed', async () => {
  const service = serverOn(directory)
  await service.start()
  process.kill(service.pid, 'SIGTERM')
  expect(await service.ended()).toBe(0)
  expect((await readdir(directory)).filter((name) => name.endsWith('.sock'))).toEqual([])
})
