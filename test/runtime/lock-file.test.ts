import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/*
 * npm compares a downloaded package with `integrity` (package-lock.json, lockfileVersion 3). An entry could lack a hash or have a
 * weak one. It could also name another source than the registry, or hold a value that npm has not written.
 */
interface Entry {
  version: string
  resolved?: string
  integrity?: string
  link?: boolean
}

/** Packages that may lack an integrity, each with its reason. */
const exempt: Record<string, string> = {}

const read = async (path: string): Promise<Record<string, Entry>> => {
  const { '': _root, ...packages } = JSON.parse(await readFile(path, 'utf8')).packages
  return packages
}
const locked = await read('package-lock.json')
const folders = ['.', 'test/clients/openapi', 'test/clients/comunica']

/** The version and the hash of packages: npm 10 and 11 differ in the rest of an entry. */
const identities = (packages: Record<string, Entry>) =>
  Object.fromEntries(Object.entries(packages).map(([name, { version, integrity }]) => [name, { version, integrity }]))

test.each(folders)(
  'every package in the lock file of %s has a SHA-512 integrity, or is exempt by name',
  async (folder) => {
    const packages = await read(join(folder, 'package-lock.json'))
    const without = Object.entries(packages).filter(
      ([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''),
    )
    expect(without.map(([name]) => name).sort()).toEqual(Object.keys(exempt).sort())
  },
)

test.each(folders)('every package in the lock file of %s comes from the registry of npm', async (folder) => {
  const packages = await read(join(folder, 'package-lock.json'))
  const elsewhere = Object.entries(packages).filter(
    ([, { resolved, link }]) => link || (resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/')),
  )
  expect(elsewhere).toEqual([])
})

test.each(folders)(
  'npm does not change the lock file of %s, so no entry was edited by hand and it matches package.json',
  async (from) => {
    const folder = await mkdtemp(join(tmpdir(), 'lock-file-'))
    const files = ['package.json', 'package-lock.json', '.npmrc']
    await Promise.all(files.map((file) => copyFile(join(from, file), join(folder, file))))
    const args = ['install', '--package-lock-only', '--offline', '--ignore-scripts', '--cache', join(folder, 'cache')]
    await promisify(execFile)('npm', args, { cwd: folder })
    const before = await read(join(from, 'package-lock.json'))
    expect(identities(await read(join(folder, 'package-lock.json')))).toEqual(identities(before))
    await rm(folder, { recursive: true })
  },
)

test('the installed packages are those of the lock file', async () => {
  const installed = identities(await read('node_modules/.package-lock.json'))
  expect(identities(locked)).toMatchObject(installed)
})
