import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'

/*
 * Pins the build of a commit, with its libraries, for the test of upgrades. The same commit gives the same archive:
 *   npx tsx test/releases/pin.ts v0.2.0
 */
const [commit] = process.argv.slice(2)
if (!commit) throw new Error('Usage: npx tsx test/releases/pin.ts <commit>')
const folder = mkdtempSync(join(tmpdir(), 'pin-'))
const [checkout, pinned] = [join(folder, 'checkout'), join(folder, 'pinned')]
const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: checkout, stdio: 'inherit' })
try {
  execFileSync('git', ['worktree', 'add', '--detach', checkout, commit])
  run('npm', 'ci', '--ignore-scripts')
  run('npm', 'run', 'build')
  const files = readdirSync(join(checkout, 'dist'), { recursive: true, encoding: 'utf8' })
  const programs = files.filter((file) => file === 'src/server.js' || /^src\/.+-thread\.js$/.test(file))
  for (const program of programs) await bundle(join('dist', program))
  for (const file of files.filter((name) => /\.(jsonld|css|svg|json)$|assets\/.+\.js$/.test(name))) {
    mkdirSync(join(pinned, 'dist', dirname(file)), { recursive: true })
    copyFileSync(join(checkout, 'dist', file), join(pinned, 'dist', file))
  }
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'))
  const archive = `test/releases/${version}.tar.gz`
  const form = [
    '--sort=name',
    '--mtime=2000-01-01',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--use-compress-program=gzip -9n',
  ]
  execFileSync('tar', ['--create', `--file=${archive}`, ...form, `--directory=${pinned}`, 'dist'])
  const digest = createHash('sha256').update(readFileSync(archive)).digest('hex')
  const sums = 'test/releases/SHA256SUMS'
  const others =
    readFileSync(sums, 'utf8')
      .match(/^.+$/gm)
      ?.filter((line) => !line.endsWith(`  ${version}.tar.gz`)) ?? []
  const byFile = (one: string, other: string) => (one.split('  ')[1] < other.split('  ')[1] ? -1 : 1)
  writeFileSync(sums, `${[...others, `${digest}  ${version}.tar.gz`].sort(byFile).join('\n')}\n`)
} finally {
  execFileSync('git', ['worktree', 'remove', '--force', checkout])
  rmSync(folder, { recursive: true, force: true })
}

/** Bundles a program with its libraries, but those with native code and those that read files beside themselves. */
async function bundle(program: string): Promise<void> {
  await build({
    entryPoints: [join(checkout, program)],
    outfile: join(pinned, program),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['sharp', 'swagger-ui-dist', '@viz-js/viz', 'pg-native'],
    keepNames: true,
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    plugins: [
      {
        name: 'module urls',
        setup: ({ onLoad }) =>
          onLoad({ filter: /dist.+\.js$/ }, ({ path }) => {
            if (!path.startsWith(join(checkout, 'dist'))) return undefined
            const url = JSON.stringify(relative(dirname(join(checkout, program)), path))
            const contents = readFileSync(path, 'utf8')
            return { contents: contents.replaceAll('import.meta.url', `new URL(${url}, import.meta.url).href`) }
          }),
      },
    ],
  })
}
