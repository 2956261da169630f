import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

/*
 * Jest loads every module again for each test file. A library of hundreds of files costs less as one file, so the largest are bundled once
 * for each version. This file is JavaScript because jest.config.js imports it.
 */
const folder = 'dist/test-libraries'
const stamp = `${folder}/versions.json`

const libraries = [
  '@opentelemetry/api',
  'class-transformer',
  'class-validator',
  'express',
  'fast-xml-parser',
  'graphile-worker',
  'jsonld',
  'nodemailer',
  'prom-client',
  'rate-limiter-flexible',
  'sanitize-html',
  'stripe',
  'supertest',
  'typeorm',
]
/** Modules inside a library that the sources import too. They share its state, so its bundle contains them. */
const innerModules = { 'class-transformer': ['class-transformer/cjs/storage.js'] }

/**
 * Bundles the libraries, unless that was done for these versions.
 * @returns where Jest finds each of them, for `moduleNameMapper`
 */
export async function bundleLibraries() {
  const versions = readFileSync('package-lock.json', 'utf8') + readFileSync(import.meta.filename, 'utf8')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== versions) await bundleAll(versions)
  const names = libraries.flatMap((library) => [library, ...(innerModules[library] ?? [])])
  return Object.fromEntries(names.map((name) => [`^${name}$`, `<rootDir>/${pathOf(name)}`]))
}

async function bundleAll(versions) {
  mkdirSync(folder, { recursive: true })
  for (const library of libraries) {
    const inner = innerModules[library] ?? []
    await bundle(library, inner)
    writeEntry(library, `require('./${bundleOf(library)}')`)
    for (const name of inner) writeEntry(name, `require('./${bundleOf(library)}')[${JSON.stringify(name)}]`)
  }
  writeWhole(stamp, versions)
}

async function bundle(library, inner) {
  const members = inner.map((name) => `module.exports[${JSON.stringify(name)}] = require('${name}')`)
  const { outputFiles } = await build({
    stdin: { contents: [`module.exports = require('${library}')`, ...members].join('\n'), resolveDir: '.' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // Libraries that share state must stay one module each. The others have native code.
    external: [...libraries.filter((name) => name !== library), 'pg', 'reflect-metadata', 'pg-native', 'sharp'],
    // TypeORM and error messages use the names of classes.
    keepNames: true,
    legalComments: 'none',
    logLevel: 'error',
    write: false,
  })
  writeWhole(`${folder}/${bundleOf(library)}`, outputFiles[0].text)
}

/** Jest looks for names of exports in the text of the module that a test imports, which takes long in a bundle. */
function writeEntry(name, expression) {
  writeWhole(pathOf(name), `const library = ${expression}\nmodule.exports = library\n`)
}

/** Writes a file that another run may be reading. */
function writeWhole(path, text) {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text)
  renameSync(draft, path)
}

function pathOf(name) {
  return `${folder}/${fileOf(name)}.cjs`
}

function bundleOf(library) {
  return `${fileOf(library)}.bundle.cjs`
}

function fileOf(name) {
  return name.replaceAll('/', '+').replace(/\.js$/, '')
}
