import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './world/machines.ts'
import { patternOf, Started, stepsOf, Terminal } from './world/walk.ts'

/*
 * README.md is true to the letter: each of its commands gives the answer below it. The same mistake can be in every block that
 * shows commands, on a first run, on a second one in the same data directory, and on another port.
 */
const skipped: Record<string, string> = {
  'stripe products create --name Seat': 'needs an account at Stripe, and its CLI',
}

const blocks = stepsOf('README.md').filter((steps) => steps.length > 0)
const walk = blocks.filter(([{ command }]) => !Object.hasOwn(skipped, command)).flat()

const directory = await mkdtemp(join(tmpdir(), 'readme-'))
const { PATH, HOME, TMPDIR } = process.env
const surroundings = async () => ({ PATH, HOME, TMPDIR, DATA_DIR: directory, PORT: String(await freePort()) })
let server: Started | undefined
afterEach(() => server?.stop())
afterAll(() => rm(directory, { recursive: true }))

test('every block that is skipped is still there', () => {
  const first = blocks.map(([{ command }]) => command)
  expect(first).toEqual(expect.arrayContaining(Object.keys(skipped)))
  expect(walk.length).toBeGreaterThan(50)
})

test.each(['the first time', 'again in the same data directory, on another port'])(
  'every command of the README gives what is shown, %s',
  async () => {
    const environment = await surroundings()
    server = await Started.at(environment)
    const terminal = new Terminal(environment)
    try {
      for (const { command, shown } of walk) {
        const said = (await terminal.run(command)).replaceAll('\n', '')
        expect({ command, said }).toEqual({ command, said: expect.stringMatching(patternOf(shown)) })
      }
    } finally {
      terminal.close()
    }
  },
  120_000,
)
