import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../support/processes/free-port.ts'
import { blocksOf, patternOf, Started, Terminal } from '../support/readme-walk.ts'

/*
 * Each command of README.md and the guides gives the output below it. The same mistake can be in every block with commands.
 * The walks go on from each other. They run twice: first in a new data directory, then again in the same one on another port.
 */
/** The files with commands, in the order of the walks. */
const files = [
  'README.md',
  ...['billing', 'workspace', 'operations', 'http-api'].map((name) => `docs/guides/${name}.md`),
]

const walked = ['A walk of five minutes', 'Billing, in five more minutes', 'A workspace from nothing']

/** The first command of each block that is not run, with the reason. */
const skipped: Record<string, string> = {
  'stripe products create --name Seat': 'needs an account at Stripe, and its CLI',
  'npm ci --include=dev && npm run build && npm prune --omit=dev':
    'would reinstall the directory that the tests run in',
  'curl -N -H "Authorization: Bearer $TOKEN" \'localhost:3000/.well-known/mercure?topic=/meetings\'':
    'does not end; test/protocol/streams.test.ts reads streams',
  'curl -X POST -H "Authorization: Bearer $TOKEN" -H \'Content-Type: application/json\' \\\n    -d \'{"name":"Nightly report","role":"member"}\' localhost:3000/api-keys':
    'shows its secret once; test/security/api-keys creates and uses keys',
  'npm run --silent backup -- "$BACKUPS/api.backup"': 'is run by test/backup/backup-commands.long.ts',
  'npm run migrate': 'needs a Citus cluster; test/distribution/distribute.long.ts runs the commands on a stub of one',
}

const blocks = files.flatMap(blocksOf)
const walk = blocks.filter(({ heading }) => walked.includes(heading)).flatMap(({ steps }) => steps)

const directory = await mkdtemp(join(tmpdir(), 'readme-'))
// The embedded Postgres of root runs as another user, who must get at its data.
await chmod(directory, 0o755)
const { PATH, HOME, TMPDIR } = process.env
const surroundings = async () => ({ PATH, HOME, TMPDIR, DATA_DIR: directory, PORT: String(await freePort()) })
let server: Started | undefined
afterEach(() => server?.stop())
afterAll(() => rm(directory, { recursive: true }))

test('every block is run, or skipped for a reason', async () => {
  const guides = (await readdir('docs/guides')).map((name) => `docs/guides/${name}`)
  expect(guides.filter((file) => !files.includes(file) && blocksOf(file).length > 0)).toEqual([])
  const others = blocks.filter(({ heading }) => !walked.includes(heading)).map(({ steps: [{ command }] }) => command)
  expect(others.sort()).toEqual(Object.keys(skipped).sort())
  expect(walk.length).toBeGreaterThan(50)
  expect(walk.filter(({ command }) => /\bnpm (ci|install|prune)\b|\brm\b/.test(command))).toEqual([])
})

test.each(['the first time', 'again in the same data directory, on another port'])(
  'every command of README and the guides gives the output below it, %s',
  async () => {
    const environment = await surroundings()
    server = await Started.at(environment)
    const terminal = new Terminal(environment)
    try {
      for (const { command, shown } of walk) {
        const output = (await terminal.run(command)).replaceAll('\n', '')
        expect({ command, output }).toEqual({ command, output: expect.stringMatching(patternOf(shown)) })
      }
    } finally {
      terminal.close()
    }
  },
  120_000,
)
