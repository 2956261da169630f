import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFile, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/*
 * A release changes files, commits and tags, so it runs in a clone.
 */
const run = promisify(execFile)
const root = await realpath('.')
const folder = await mkdtemp(join(tmpdir(), 'release-'))
const person = { GIT_AUTHOR_NAME: 'Test', GIT_AUTHOR_EMAIL: 'test@api.example' }
const env = { ...process.env, ...person, GIT_COMMITTER_NAME: 'Test', GIT_COMMITTER_EMAIL: 'test@api.example' }
const git = async (...args: string[]) => (await run('git', args, { cwd: folder, env })).stdout.trim()
const releaseWith = (environment: NodeJS.ProcessEnv, ...args: string[]) =>
  run(process.execPath, ['--import', 'tsx', 'deploy/release.ts', ...args], {
    cwd: folder,
    env: { ...env, ...environment },
  }).catch((error) => error)
const release = (...args: string[]) => releaseWith({}, ...args)
const text = (file: string) => readFile(join(folder, file), 'utf8')

beforeAll(async () => {
  await run('git', ['clone', '--quiet', root, folder])
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await appendFile(join(folder, '.git/info/exclude'), 'node_modules\n')
  await writeFile(
    join(folder, 'CHANGELOG.md'),
    '# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n- First.\n',
  )
  await git('commit', '--quiet', '--all', '--message', 'Empty the changelog')
})

afterAll(() => rm(folder, { recursive: true }))

test('a release is refused without a version, without changes to tell, and with files that are not committed', async () => {
  const before = await git('rev-parse', 'HEAD')
  const refusals: [string, RegExp][] = [
    ['', /^Usage: npm run release -- <version>/],
    ['next', /^Usage: /],
    ['0.0.1', /^0\.0\.1 is not greater than the current version, \d/],
    ['99.0.0', /^The section "Unreleased" of CHANGELOG\.md is empty\./],
  ]
  for (const [version, message] of refusals) {
    const { code, stderr } = await release(version)
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  }
  await writeFile(
    join(folder, 'CHANGELOG.md'),
    (await text('CHANGELOG.md')).replace('[Unreleased]\n', '[Unreleased]\n\n### Fixed\n\n- A bug.\n'),
  )
  expect(await release('99.0.0')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^The tree has changes/) })
  await git('commit', '--quiet', '--all', '--message', 'Describe a change')
  await git('tag', 'v98.0.0')
  expect(await release('98.0.0')).toMatchObject({ code: 1, stderr: 'The tag v98.0.0 exists already.\n' })
  expect(await git('rev-parse', 'HEAD~1')).toBe(before)
})

test('a release whose packages cannot be listed leaves no commit, no tag and no change', async () => {
  const before = await git('rev-parse', 'HEAD')
  const programs = await mkdtemp(join(tmpdir(), 'programs-'))
  await writeFile(join(programs, 'npm'), '#!/bin/sh\n[ "$1" != sbom ]\n', { mode: 0o755 })
  const { code } = await releaseWith({ PATH: `${programs}:${process.env.PATH}` }, '97.0.0')
  await rm(programs, { recursive: true })
  expect(code).toBe(1)
  expect(await git('rev-parse', 'HEAD')).toBe(before)
  expect(await git('tag', '--list', 'v97*')).toBe('')
  expect(await git('status', '--porcelain')).toBe('')
})

test('a release has a version, a dated changelog, a tag, an archive with its build, an SBOM and checksums', async () => {
  const { stdout, stderr, code } = await release('99.0.0')
  expect([code, stderr]).toEqual([undefined, ''])
  expect(await git('status', '--porcelain')).toBe('')
  expect(await git('log', '-1', '--format=%s')).toBe('Release 99.0.0')
  expect(await git('cat-file', '-t', 'v99.0.0')).toBe('tag')
  expect(await git('tag', '--list', '--format=%(contents)', 'v99.0.0')).toBe('99.0.0\n\n### Fixed\n\n- A bug.')
  const [manifest, lock] = await Promise.all(['package.json', 'package-lock.json'].map(text))
  expect([JSON.parse(manifest).version, JSON.parse(lock).version, JSON.parse(lock).packages[''].version]).toEqual(
    Array(3).fill('99.0.0'),
  )
  expect(await text('CHANGELOG.md')).toMatch(
    /^# Changelog\n\n## \[Unreleased\]\n\n## \[99\.0\.0\] - \d{4}-\d\d-\d\d\n\n### Fixed\n\n- A bug\.\n\n## \[0\.1\.0\]/,
  )
  expect(await text('deploy/kubernetes/deployment.yaml')).toContain('image: organization-api:99.0.0\n')

  const sums = await text('releases/SHA256SUMS')
  expect(stdout).toBe(`${sums}Tagged v99.0.0. Publish it: git push --follow-tags\n`)
  for (const [sum, file] of sums
    .trim()
    .split('\n')
    .map((line) => line.split('  ')))
    expect(
      createHash('sha256')
        .update(await readFile(join(folder, 'releases', file)))
        .digest('hex'),
    ).toBe(sum)
  const { stdout: listed } = await run('tar', ['-tzf', join(folder, 'releases/organization-api-99.0.0.tar.gz')])
  expect(listed.split('\n')).toEqual(
    expect.arrayContaining(
      ['package.json', 'package-lock.json', 'dist/bundle/server.js', 'dist/contexts/Meeting.jsonld', 'LICENSE'].map(
        (file) => `organization-api-99.0.0/${file}`,
      ),
    ),
  )
  const { bomFormat, components } = JSON.parse(await text('releases/organization-api-99.0.0.cdx.json'))
  const names = components.map(({ name }: { name: string }) => name)
  expect(bomFormat).toBe('CycloneDX')
  expect(names).toEqual(expect.arrayContaining(['express', 'typeorm']))
  expect(names).not.toContain('jest')
})
