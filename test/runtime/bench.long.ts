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
