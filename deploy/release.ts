import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/*
 * `npm run release -- <version>`: sets the version, dates the changelog, builds, commits and tags. The folder "releases" then has
 * the archive of the tag with its build, a list of its packages (SBOM, CycloneDX), and the checksums of both.
 */
const root = run('git', 'rev-parse', '--show-toplevel').trim()
process.chdir(root)
const version = process.argv[2] ?? ''
const tag = `v${version}`
const manifests = ['deploy/kubernetes/deployment.yaml', 'deploy/kubernetes/migration.yaml']
const changelog = readFileSync('CHANGELOG.md', 'utf8')
const [, changes = ''] = /^## \[Unreleased\]\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(changelog) ?? []

const sbomFile = `organization-api-${version}.cdx.json`

const refusal = refusalOf()
if (refusal) {
  console.error(refusal)
  process.exit(1)
}
const date = new Date().toISOString().slice(0, 10)
try {
  prepare()
} catch (error) {
  // The tree was clean, so this restores it as it was.
  run('git', 'checkout', '--quiet', '--', '.')
  throw error
}
run('git', 'commit', '--quiet', '--all', '--message', `Release ${version}`)
run('git', 'tag', '--annotate', '--cleanup=verbatim', tag, '--message', `${version}\n\n${changes.trim()}\n`)
const files = [archive(), sbomFile]
const sums = files.map((file) => `${sha256(join('releases', file))}  ${file}\n`).join('')
writeFileSync('releases/SHA256SUMS', sums)
console.log(`${sums}Tagged ${tag}. Publish it: git push --follow-tags`)

/** The reason why this version cannot be released now. */
function refusalOf(): string | undefined {
  const current = JSON.parse(readFileSync('package.json', 'utf8')).version
  if (!/^\d+\.\d+\.\d+$/.test(version)) return 'Usage: npm run release -- <version>, such as 1.2.3'
  if (!isGreater(version, current)) return `${version} is not greater than the current version, ${current}.`
  if (run('git', 'status', '--porcelain')) return 'The tree has changes that are not committed. Commit them first.'
  if (run('git', 'tag', '--list', tag)) return `The tag ${tag} exists already.`
  if (!/^- /m.test(changes)) return 'The section "Unreleased" of CHANGELOG.md is empty. Describe the changes first.'
  return undefined
}

function isGreater(one: string, other: string): boolean {
  const [left, right] = [one, other].map((text) => text.split('.').map(Number))
  const index = left.findIndex((part, index) => part !== right[index])
  return index >= 0 && left[index] > right[index]
}

/** Writes the version and the date, lists the packages, and builds. All that may fail stands before the commit. */
function prepare(): void {
  run('npm', 'version', '--no-git-tag-version', '--ignore-scripts', version)
  writeFileSync(
    'CHANGELOG.md',
    changelog.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}] - ${date}\n`),
  )
  for (const file of manifests)
    writeFileSync(file, readFileSync(file, 'utf8').replace(/(image: organization-api:)\S+/, `$1${version}`))
  listPackages()
  // The archive has no files of earlier builds.
  rmSync('dist', { recursive: true, force: true })
  run('npm', 'run', '--silent', 'build')
}

/** Archives the files of the tag and its build. The same tag and build give the same bytes. */
function archive(): string {
  const [folder, file] = [`organization-api-${version}`, `organization-api-${version}.tar.gz`]
  const temporary = mkdtempSync(join(tmpdir(), 'release-'))
  const when = run('git', 'show', '--no-patch', '--format=%cI', 'HEAD').trim()
  const environment = { GIT_INDEX_FILE: join(temporary, 'index'), GIT_COMMITTER_DATE: when, GIT_AUTHOR_DATE: when }
  const git = (...args: string[]) => runWith(environment, 'git', ...args)
  try {
    git('read-tree', tag)
    git('add', '--force', 'dist')
    // Only a commit gives its files a time.
    const commit = git('commit-tree', git('write-tree').trim(), '-m', tag).trim()
    git('archive', '--format=tar.gz', `--prefix=${folder}/`, `--output=${join('releases', file)}`, commit)
  } finally {
    rmSync(temporary, { recursive: true })
  }
  return file
}

/** Lists the packages that production installs. */
function listPackages(): void {
  const list = run('npm', 'sbom', '--sbom-format=cyclonedx', '--omit=dev', '--package-lock-only')
  mkdirSync('releases', { recursive: true })
  writeFileSync(join('releases', sbomFile), list)
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

function run(command: string, ...args: string[]): string {
  return runWith({}, command, ...args)
}

function runWith(environment: NodeJS.ProcessEnv, command: string, ...args: string[]): string {
  const env = { ...process.env, ...environment }
  return execFileSync(command, args, {
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}
