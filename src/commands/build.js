import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/*
 * Compiles the sources into dist. With --if-stale, only when they differ from the sources of dist and a compiler is installed.
 * This file is JavaScript because it runs before anything is compiled.
 */
process.chdir(join(import.meta.dirname, '../..'))
const sources = ['src', 'entities', 'contexts', 'ormconfig.ts', 'tsconfig.json', 'tsconfig.build.json']
const stamp = 'dist/.sources'
const remedy = 'Run "npm ci --include=dev && npm run build", then "npm prune --omit=dev".'
const digest = digestOf(sources)
const builtDigest = existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined

if (!process.argv.includes('--if-stale')) build()
else if (builtDigest !== digest && hasCompiler()) build()
else if (!existsSync('dist/src/server.js')) fail(`No build exists in dist, and no compiler is installed. ${remedy}`)
else if (builtDigest !== digest)
  console.error(`The build in dist is older than the sources and starts as it is. ${remedy}`)

function build() {
  if (!hasCompiler()) fail(`The compiler, a development dependency, is not installed. ${remedy}`)
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace(/package\.json$/, 'bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
  for (const folder of ['contexts', 'src/hydra/model/contexts', 'src/explorer/assets'])
    cpSync(folder, `dist/${folder}`, { recursive: true })
  bundleScript()
  writeFileSync(stamp, digest)
}

/** Bundles the script of the pages for browsers. */
function bundleScript() {
  createRequire(import.meta.url)('esbuild').buildSync({
    entryPoints: ['src/explorer/browser/explorer.ts'],
    outfile: 'dist/src/explorer/assets/explorer.js',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
  })
}

/** TypeScript may be installed for another package. Without the types of libraries it cannot compile the sources. */
function hasCompiler() {
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const needed = Object.keys(devDependencies).filter((name) => name === 'typescript' || name.startsWith('@types/'))
  return needed.every((name) => existsSync(`node_modules/${name}`))
}

/** A digest of contents, not of times: a checkout or a copy can be older than the build. */
function digestOf(paths) {
  const hash = createHash('sha256')
  const add = (path, isFolder) => {
    if (!isFolder) return hash.update(`${path}\0`).update(readFileSync(path)).update('\0')
    const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) add(join(path, entry.name), entry.isDirectory())
  }
  for (const path of paths.filter(existsSync)) add(path, !/\.\w+$/.test(path))
  return hash.digest('hex')
}

function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}
