import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Organization } from '../entities/index.ts'
import { database, ending } from './world/index.ts'
import { Service } from './world/machines.ts'
import { surroundings } from './world/surroundings.ts'

const directory = await mkdtemp(join(tmpdir(), 'starting-'))
const file = join(directory, 'file')
await writeFile(file, '')
const other = createServer().listen(0, '127.0.0.1')
await once(other, 'listening')
const { port } = other.address() as AddressInfo
ending.unshift(async () => {
  other.close()
  await rm(directory, { recursive: true })
})

test('Whoever is answered first finds the demo there', async () => {
  const own = { AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_JWKS_URL: '' }
  const service = new Service({ ...surroundings('starting'), ...own })
  ending.unshift(() => service.close())
  expect(await database.manager.countBy(Organization, { demo: true })).toBe(0)
  await service.start()
  expect(await database.manager.countBy(Organization, { demo: true })).toBe(2)
})

test.each([
  [
    'the port is taken',
    { PORT: String(port) },
    `PORT ${port} of HOST 127.0.0.1 cannot be listened at: free it, or set`,
  ],
  ['the host is not of this machine', { HOST: '192.0.2.1' }, 'of HOST 192.0.2.1 cannot be listened at'],
  [
    'no database answers',
    { DATABASE_URL: 'postgres://localhost:1/none' },
    'DATABASE_URL names no database that can be used: connect',
  ],
  ['the data directory is a file', { DATABASE_URL: '', DATA_DIR: file }, `DATA_DIR is "${file}", which cannot be made`],
])('Where %s the start is given up, and the last line names the variable', async (_, environment, sentence) => {
  const child = spawn(process.execPath, ['dist/src/server.js'], {
    env: { PATH: process.env.PATH, PORT: '0', ...surroundings('starting'), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  const last = JSON.parse(said.trim().split('\n').at(-1) as string)
  expect([code, last.level, last.msg]).toEqual([1, 60, expect.stringContaining(sentence)])
})
