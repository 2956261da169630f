import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/*
 * The guide of operations lists every command and variable. The same mistake can be in each of its tables.
 * checks/docs.ts finds paths and scripts that do not exist.
 */
const operations = await readFile('docs/guides/operations.md', 'utf8')
const { scripts } = JSON.parse(await readFile('package.json', 'utf8'))

/** The cells of the first column of the table below a heading. */
function firstColumn(heading: string): string[] {
  const [, section] = operations.split(`\n## ${heading}\n`)
  const rows = section
    .split('\n## ')[0]
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  return rows.flatMap((row) => row.split(' | ')[0].match(/`[^`]+`/g) ?? []).map((name) => name.slice(1, -1))
}

test('the table of commands lists every script of package.json', () => {
  const listed = firstColumn('Commands')
    .filter((name) => name !== 'npm run')
    .map((command) => command.split(' ')[0])
  expect(listed.sort()).toEqual(Object.keys(scripts).sort())
})

test('every npm command in README and the guides is a script of package.json', async () => {
  const guides = (await readdir('docs/guides')).map((name) => join('docs/guides', name))
  const texts = await Promise.all(['README.md', ...guides].map((file) => readFile(file, 'utf8')))
  const named = [...texts.join('\n').matchAll(/npm run (?:-s )?([a-z:]+)/g)].map(([, name]) => name)
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
})

test('the table of the environment lists every variable of the configuration', async () => {
  const files = ['src/config.ts', ...(await readdir('src/environment')).map((name) => join('src/environment', name))]
  const source = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n')
  const read = new Set([...source.matchAll(/(?:text|needed)\('([A-Z_]+)'\)/g)].map(([, name]) => name))
  expect(firstColumn('Environment').sort()).toEqual([...read].sort())
})

test('every file in README and the guides exists', async () => {
  const guides = (await readdir('docs/guides')).map((name) => join('docs/guides', name))
  const texts = await Promise.all(['README.md', ...guides].map((file) => readFile(file, 'utf8')))
  const named = [...texts.join('\n').matchAll(/`((?:src|test|contexts|entities)\/[\w./-]+)`/g)].map(([, name]) => name)
  const examples = /\brooms?\b/i
  for (const name of named.filter((name) => !examples.test(name)))
    await readFile(name).catch((error) => {
      if (error.code !== 'EISDIR') throw error
    })
})

test('README has at most 900 words', async () => {
  expect((await readFile('README.md', 'utf8')).trim().split(/\s+/).length).toBeLessThanOrEqual(900)
})
