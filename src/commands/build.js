import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, relative } from 'node:path'

/*
 * Compiles the sources into dist, and bundles the programs of package.json in dist/bundle. With --if-stale, only when they differ from the
 * sources of dist and a compiler is installed. This file is JavaScript because it runs before anything is compiled.
 */
process.chdir(join(import.meta.dirname, '../..'))
/** The bundle contains libraries, so their versions count too. */
const sources = [
  'src',
  'entities',
  'contexts',
  'ormconfig.ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
]
const bundle = 'dist/bundle'
const stamp = 'dist/.sources'
const remedy = 'Run "npm ci --include=dev && npm run build", then "npm prune --omit=dev".'
const digest = digestOf(sources)
const builtDigest = existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined

/** Modules find the files beside them through `import.meta.url`, which must not become the URL of the bundle. */
const moduleUrls = {
  name: 'module urls',
  setup({ onLoad }) {
    const own = join(process.cwd(), 'dist/src/')
    onLoad({ filter: /dist.src.+\.js$/ }, ({ path }) => {
      if (!path.startsWith(own)) return undefined
      const contents = readFileSync(path, 'utf8')
      if (!contents.includes('import.meta')) return undefined
      const [other] = /import\.meta(?!\.url\b).{0,20}/.exec(contents) ?? []
      if (other)
        return { errors: [{ text: `Use import.meta.url in ${path}. The bundle has no other member of it: ${other}` }] }
      const url = `new URL(${JSON.stringify(relative(bundle, path))}, import.meta.url).href`
      return { contents: contents.replaceAll('import.meta.url', url) }
    })
  },
}

if (!process.argv.includes('--if-stale')) await build()
else if (builtDigest !== digest && hasCompiler()) await build()
else if (!existsSync(`${bundle}/server.js`)) fail(`No build exists in dist, and no compiler is installed. ${remedy}`)
else if (builtDigest !== digest)
  console.error(`The build in dist is older than the sources and starts as it is. ${remedy}`)

async function build() {
  if (!hasCompiler()) fail(`The compiler, a development dependency, is not installed. ${remedy}`)
  // An interrupted build has no stamp, so the next start builds again.
  rmSync(stamp, { force: true })
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace(/package\.json$/, 'bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
  for (const folder of ['contexts', 'src/hydra/model/contexts', 'src/explorer/assets'])
    cpSync(folder, `dist/${folder}`, { recursive: true })
  bundleScript()
  await bundlePrograms()
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

/**
 * Bundles the programs that package.json starts, with their libraries. Node then loads a few files instead of 2,000, which halves
 * the start. Programs share chunks, so no module is in the bundle twice.
 */
async function bundlePrograms() {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  const names = [
    ...Object.values(scripts)
      .join('\n')
      .matchAll(/dist\/bundle\/(\w+)\.js/g),
  ].map(([, name]) => name)
  const { outputFiles } = await createRequire(import.meta.url)('esbuild').build({
    entryPoints: names.map((name) => ({
      in: `dist/src/${name === 'server' ? name : `commands/${name}`}.js`,
      out: name,
    })),
    outdir: bundle,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // These have native code, or read files beside themselves.
    external: ['sharp', 'swagger-ui-dist', '@viz-js/viz', 'pg-native'],
    // TypeORM and logs use the names of classes, which a bundle otherwise numbers.
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    plugins: [moduleUrls],
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    logLevel: 'error',
    write: false,
  })
  mkdirSync(bundle, { recursive: true })
  // Chunks are written before the programs that import them: another process may start meanwhile.
  const isProgram = ({ path }) => names.includes(basename(path, '.js'))
  for (const { path, contents, text } of outputFiles.sort((a, b) => isProgram(a) - isProgram(b)))
    writeFileSync(path, path.endsWith('.js') ? inAscii(withNamesOfClasses(text)) : contents)
  removeFormerFiles(new Set(outputFiles.map(({ path }) => basename(path))))
}

/**
 * Keeps the names of classes, and no others. esbuild sets the name of a function each time a closure is made, which changes its
 * hidden class: that took a tenth of the CPU time of an item.
 */
function withNamesOfClasses(text) {
  return text
    .replaceAll(
      /\b__name\(this, ("[^"]*")\)/g,
      'Object.defineProperty(this, "name", { value: $1, configurable: true })',
    )
    .replace(/^var __name = .+$/m, 'var __name = (target) => target;')
}

/**
 * Escapes all characters but those of ASCII. V8 keeps the source of a module in memory, and with two bytes a character where one of them is
 * beyond Latin-1. esbuild leaves such characters in regular expressions, templates and comments.
 */
function inAscii(text) {
  return text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Removes files of earlier builds after a week. A server that runs loads some chunks of its build only when it needs them. */
function removeFormerFiles(written) {
  const weekAgo = Date.now() - 7 * 24 * 3_600_000
  for (const name of readdirSync(bundle).filter((name) => !written.has(name))) {
    // Another build may remove the file at the same time.
    const found = statSync(join(bundle, name), { throwIfNoEntry: false })
    if (found && found.mtimeMs < weekAgo) rmSync(join(bundle, name), { force: true })
  }
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
