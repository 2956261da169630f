import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/*
 * package-lock.json, lockfileVersion 3: `integrity` is what npm compares a downloaded package with. The same mistake can be in
 * each entry of the lock file: no hash, a weak hash, another source than the registry, or a value that npm has not written.
 */
interface Entry {
  version: string
  resolved?: string
  integrity?: string
  link?: boolean
}

/** Packages that may lack an integrity, each with its reason. */
const excused: Record<string, string> = {}

const read = async (path: string): Promise<Record<string, Entry>> => {
  const { '': _root, ...packages } = JSON.parse(await readFile(path, 'utf8')).packages
  return packages
}
const locked = await read('package-lock.json')
const folders = ['.', 'test/clients/openapi']

/** What a package is; npm 10 and 11 differ in the rest of an entry. */
const identities = (packages: Record<string, Entry>) =>
  Object.fromEntries(Object.entries(packages).map(([name, { version, integrity }]) => [name, { version, integrity }]))

test.each(folders)(
  'every package of the lock file of %s has a SHA-512 integrity, or is excused by name',
  async (folder) => {
    const packages = await read(join(folder, 'package-lock.json'))
    const without = Object.entries(packages).filter(
      ([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''),
    )
    expect(without.map(([name]) => name).sort()).toEqual(Object.keys(excused).sort())
  },
)

test.each(folders)('every package of the lock file of %s comes from the registry of npm', async (folder) => {
  const packages = await read(join(folder, 'package-lock.json'))
  const elsewhere = Object.entries(packages).filter(
    ([, { resolved, link }]) => link || (resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/')),
  )
  expect(elsewhere).toEqual([])
})

test.each(folders)(
  'npm leaves the lock file of %s as it is, so no entry was changed by hand and package.json asks for nothing else',
  async (from) => {
    const folder = await mkdtemp(join(tmpdir(), 'lock-file-'))
    const files = ['package.json', 'package-lock.json', '.npmrc']
    await Promise.all(files.map((file) => copyFile(join(from, file), join(folder, file))))
    const words = ['install', '--package-lock-only', '--offline', '--ignore-scripts', '--cache', join(folder, 'cache')]
    await promisify(execFile)('npm', words, { cwd: folder })
    const before = await read(join(from, 'package-lock.json'))
    expect(identities(await read(join(folder, 'package-lock.json')))).toEqual(identities(before))
    await rm(folder, { recursive: true })
  },
)

test('what is installed is what the lock file names', async () => {
  const installed = identities(await read('node_modules/.package-lock.json'))
  expect(identities(locked)).toMatchObject(installed)
})
