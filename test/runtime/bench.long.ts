import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/* The command of the guide "performance" runs the benchmark in its quickest form. */
test('the command of the guide prints a table with the machine and the goals', async () => {
  const guide = await readFile('docs/guides/performance.md', 'utf8')
  const [command] = guide.match(/^npm run bench -- .+$/m) ?? []
  const { stdout } = await promisify(execFile)('sh', ['-c', command as string], { timeout: 100_000 })
  expect(stdout).toMatch(/cores, \d+ GB; \w+ [\w.-]+, Node v\d+\.\d+\.\d+, Postgres \d+/)
  expect(stdout).toMatch(/^\| GET item \| 16 \| \d+ \| \d\.\d\d \(\d\.\d\d–\d\.\d\d\) \| 2\.2: (not )?reached \|/m)
}, 120_000)

test('the command of the guide prints what requests, rows and more organizations take', async () => {
  const guide = await readFile('docs/guides/scaling.md', 'utf8')
  const [command] = guide.match(/^npm run simulate -- .+$/m) ?? []
  const { stdout } = await promisify(execFile)('sh', ['-c', command as string], { timeout: 100_000 })
  for (const kind of ['item', 'page', 'filtered', 'write', 'webhook'])
    expect(stdout).toMatch(new RegExp(`^\\| ${kind} \\| \\d+ % \\| [1-9]\\d* \\|`, 'm'))
  expect(stdout).toMatch(/^\| all \| {2}\| [1-9]\d* \|/m)
  expect(stdout).toMatch(/^The jobs of the webhooks ended \d+\.\d s after the last request\.$/m)
  expect(stdout).toMatch(/^\| meeting \| \d{4,} \|/m)
  expect(stdout.match(/^\| (20|200|2000) \| \d+ \|/gm)).toHaveLength(3)
}, 120_000)
